/**
 * A process of its own that has a database open and does what it is asked, one message at a time:
 * `{ action, parameters }` in, `{ result }` or `{ error }` out. child.ts is the other end.
 */
import { writeSync } from 'node:fs';
import { open } from 'mneme';

const ROUNDS_PER_LOOK = 20;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
let database;
let keyspace;
let snapshot;
let iterator;
let view;
let texts;
let staysAt;

/** Says where it is, although it answers nothing, and stays there. */
function stay() {
  writeSync(1, 'there\n');
  Atomics.wait(sleeper, 0, 0);
}

function isBalanced([one, two, total]) {
  return (one ?? 0) + (two ?? 0) === (total ?? 0);
}

const COUNTERS = ['one', 'total', 'two'];

/** Reads in every way there is; returns the total, or -1 when it is not the sum. */
function readTotal() {
  const [one, total, two] = keyspace.getMany(COUNTERS);
  const ranged = Object.fromEntries(keyspace.range());
  const taken = database.snapshot();
  const [first, sum, second] = COUNTERS.map((name) => taken.keyspace('a').get(name));
  taken.close();
  const all = [
    [one, two, total],
    [ranged.one, ranged.two, ranged.total],
    [first, second, sum],
  ];
  return all.every(isBalanced) ? (total ?? 0) : -1;
}

const actions = {
  open(path, options) {
    database = open(path, options);
    keyspace = database.keyspace('a');
    texts = database.ftKeyspace('texts');
  },
  /** Drops the user's rights first; whoever may write everything proves nothing by not writing. */
  openAsNobody(path, options) {
    if (process.getuid() === 0) {
      process.setgroups([]);
      process.setgid(65534);
      process.setuid(65534);
    }
    actions.open(path, options);
  },
  close: () => database.close(),
  set: (key, value) => keyspace.set(key, value),
  get: (key) => keyspace.get(key),
  count: () => keyspace.count(),
  verify: () => database.verify(),
  walk: () => keyspace.range().toArray().length,
  /** Rewrites the keys 0 to `count` in each of many commits. */
  rewrite(count, rounds, width = 100) {
    for (let round = 0; round < rounds; round++) {
      keyspace.batch((batch) => {
        for (let key = 0; key < count; key++) batch.set(`${key}`, `${round}`.repeat(width));
      });
    }
  },
  countUp(name, rounds) {
    for (let round = 0; round < rounds; round++) {
      database.batch(() => {
        keyspace.incr(name);
        keyspace.incr('total');
      });
    }
  },
  countUpForever: () => actions.countUp('one', Number.POSITIVE_INFINITY),
  /** Reads until the counters have come to `total`; returns how many reads were wrong. */
  readUntil(total) {
    let wrong = 0;
    for (let seen = 0; seen < total; ) {
      const now = readTotal();
      if (now < seen) wrong++;
      else seen = now;
    }
    return wrong;
  },
  takeSnapshot() {
    snapshot = database.snapshot();
    return Number(snapshot.txnId);
  },
  readSnapshot: () => snapshot.keyspace('a').range().toArray(),
  closeSnapshot: () => snapshot.close(),
  beginIterator() {
    iterator = keyspace.range();
    return iterator.next().value;
  },
  endIterator: () => iterator.toArray().length,
  /** Writes a batch that is larger than the cache and never ends. */
  stayInBatch() {
    keyspace.batch((batch) => {
      for (let key = 0; key < 2000; key++) batch.set(`${key}`, 'half'.repeat(300));
      batch.incr('counter');
      stay();
    });
  },
  stayUntilKilled: stay,
  /** Lets a snapshot go without closing it; its handle is kept for as long as `keepHandle`. */
  dropSnapshot() {
    view = database.snapshot().keyspace('a');
  },
  readView: () => view.range().toArray(),
  dropView() {
    view = undefined;
  },
  /** Collects garbage and gives finalisers their turn. */
  async collect() {
    for (let turn = 0; turn < 5; turn++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
  putText: (docId, text) => texts.put(docId, text),
  delText: (docId) => texts.del(docId),
  searchText: (query, options) => texts.search(query, options),
  /** Puts documents, one by one or all at once; the words of each are `name` and its number. */
  putTexts(name, count, together) {
    const text = (index) => `${name} w${index} word`;
    const documents = Array.from({ length: count }, (_, at) => [`${name} ${at}`, text(at)]);
    if (together) texts.putMany(documents);
    else for (const [docId, content] of documents) texts.put(docId, content);
  },
  /** How many documents there are, in the index and by a search, in one snapshot. */
  countTexts() {
    const taken = database.snapshot();
    const seen = taken.ftKeyspace('texts');
    const found = seen.search('word', { topK: 100_000 }).length;
    const counts = [seen.count(), seen.stats().docCount, found];
    taken.close();
    return counts;
  },
  /** Changes all texts in a batch that never ends. */
  stayInTexts() {
    database.batch(() => {
      for (const [docId] of texts.scan()) texts.put(docId, `half of it ${docId}`);
      actions.putTexts('half', 3000, true);
      texts.search('half');
      stay();
    });
  },
  /** Where `stayInRebuild` stays. */
  rebuildUntil(done) {
    staysAt = done;
  },
  stayInRebuild: () =>
    texts.rebuildIndex({
      onProgress({ done }) {
        if (done >= staysAt) stay();
      },
    }),
  /** Writes until what waits is taken again; returns the pages that still wait. */
  retired(count) {
    actions.rewrite(count, ROUNDS_PER_LOOK);
    return database.stats().retiredPages;
  },
};

process.on('message', async ({ action, parameters }) => {
  try {
    process.send({ result: await actions[action](...parameters) });
  } catch (error) {
    const { code, message, details } = error;
    process.send({ error: { code, message, details } });
  }
});
