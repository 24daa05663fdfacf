/**
 * Opens a file, writes, copies and closes: what `NODE_DEBUG=mneme` shows of it is for the parent.
 */
import { open } from 'mneme';

const [, , path, secret] = process.argv;
const database = open(path);
const keyspace = database.keyspace('a');
keyspace.set(secret, secret);
database.ftKeyspace('texts').put(secret, secret);
database.ftKeyspace('texts').search(secret);
database.compact(`${path}.copy`);
database.close();
process.stdout.write('done');
