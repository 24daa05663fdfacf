/**
 * Attaches to a database with an encrypted keyspace, without a key of its own.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { attach } from 'mneme';

const database = attach(workerData);
const values = database.keyspace('values');
values.set('b', `from ${values.get('a')}`);
database.close();
parentPort?.postMessage('done');
