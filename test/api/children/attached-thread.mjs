/**
 * Works on a database that the parent thread shares, as it is told by messages: `{ task, ... }`
 * answered by one message each.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { attach } from 'mneme';

const database = attach(workerData.shared);
const keyspace = database.keyspace('a');
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const held = [];

/** Tells the parent, and then stays in the middle of what it is at. */
function stayForever(message) {
  parentPort.postMessage(message);
  Atomics.wait(sleeper, 0, 0);
}

function attempt(action) {
  try {
    return { value: action() };
  } catch (error) {
    return { code: error.code, details: error.details };
  }
}

const TASKS = {
  get: ({ key }) => attempt(() => keyspace.get(key)),
  set: ({ key, value }) => attempt(() => keyspace.set(key, value)),
  readAll: () => attempt(() => [...keyspace.range()].length),
  count: () => attempt(() => keyspace.count()),
  /** One transaction each, which keeps an invariant that the parent checks. */
  transfer: ({ count, name }) =>
    attempt(() => {
      for (let round = 0; round < count; round++) {
        keyspace.batch((batch) => {
          batch.incr('total');
          batch.incr(name);
        });
      }
    }),
  /** Single writes, one key each; returns those that the next read did not see. */
  fill: ({ count, name }) =>
    attempt(() => {
      const unseen = [];
      for (let index = 0; index < count; index++) {
        keyspace.set(`${name} ${index}`, index);
        if (keyspace.get(`${name} ${index}`) !== index) unseen.push(index);
      }
      return unseen;
    }),
  putText: ({ docId, text }) => attempt(() => database.ftKeyspace('texts').put(docId, text)),
  searchText: ({ query, options }) =>
    attempt(() => database.ftKeyspace('texts').search(query, options)),
  /** Documents of this thread, some of which it replaces and removes; returns how many stay. */
  putTexts: ({ count, name }) =>
    attempt(() => {
      const texts = database.ftKeyspace('texts');
      for (let index = 0; index < count; index++) {
        texts.put(`${name} ${index}`, `${name} w${index % 5} word`);
        if (index % 3 === 0) texts.put(`${name} ${index}`, `${name} replaced word`);
        if (index % 4 === 0) texts.del(`${name} ${index}`);
      }
      return texts.count(`${name} `);
    }),
  /** Copies the database as often as it is said; returns how many keys the last copy has. */
  copy: ({ method, target, count }) =>
    attempt(() => {
      let keys = 0;
      for (let round = 0; round < count; round++) {
        keys = database[method](target, { overwrite: true }).keys;
      }
      return keys;
    }),
  snapshot: () => {
    held.push(database.snapshot());
    return { value: held.at(-1).keyspace('a').get('key') };
  },
  batchForever: () => keyspace.batch((batch) => stayForever({ value: batch.set('half', 1) })),
  close: () => attempt(() => database.close()),
};

parentPort.on('message', (message) => {
  parentPort.postMessage(TASKS[message.task](message));
  if (message.task === 'close') parentPort.close();
});
parentPort.postMessage({ value: 'attached' });
