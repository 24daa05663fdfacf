/**
 * An agent's memory: what it was told, found again by words, by meaning and by how recent it is.
 *
 * Run it after `npm run build` with `node examples/agent-memory.mjs [question]`. The vectors come
 * from text-vectors.mjs, which learns from these few notes alone; put an embedding model's in their
 * place and the rest stays as it is. A note is a document, a vector and a member of a sorted set,
 * written in one transaction.
 */
import assert from 'node:assert/strict';
import { open } from 'mneme';
import { TextVectors } from './text-vectors.mjs';

const NOTES = [
  'Ada is allergic to peanuts and carries an adrenaline pen',
  'The staging server is restarted every night at three',
  'Grace prefers tea without milk, and no meetings before ten',
  'Deploys on Friday need the approval of two people',
  'The customer in Oslo wants invoices in kroner',
  'Ada flies to Lisbon on Tuesday, gate closes at nine',
  'Restarting the staging server clears the cache of the search service',
];
const embed = new TextVectors(NOTES);

class Memory {
  constructor(db) {
    this.db = db;
    this.notes = db.ftKeyspace('notes', { analyzerName: 'english' });
    this.vectors = db.keyspace('vectors');
    this.recent = db.keyspace('memory').sortedSet('recent');
  }

  remember(id, text, at) {
    this.db.batch((tx) => {
      tx.ftKeyspace('notes', { analyzerName: 'english' }).put(id, text);
      tx.keyspace('vectors').vset(id, embed.vectorOf(text));
      tx.keyspace('memory').sortedSet('recent').add(at, id);
    });
  }

  recall(question, topK = 3) {
    const text = { keyspace: this.notes, query: question };
    const vector = { keyspace: this.vectors, query: embed.vectorOf(question) };
    const hits = this.db.hybridSearch({ text, vector, topK });
    return hits.map(({ key, score }) => ({ score, note: this.notes.get(key) }));
  }

  latest(count) {
    return this.recent.rangeByRank(0, count - 1, { reverse: true }).map(({ member }) => member);
  }
}

const db = open(':memory:');
const memory = new Memory(db);
for (const [index, text] of NOTES.entries()) memory.remember(`note:${index}`, text, index);
const question = process.argv[2] ?? 'when does the staging server restart?';
console.log(question);
for (const { score, note } of memory.recall(question)) console.log(`  ${score.toFixed(4)} ${note}`);
console.log('latest:', memory.latest(2).join(', '));

assert.match(memory.recall('when does the staging server restart?')[0].note, /^The staging server/);
assert.deepEqual(memory.latest(2), ['note:6', 'note:5']);
assert.throws(
  () => db.batch(() => memory.remember('note:7', 'half a note', Number.NaN)),
  RangeError,
);
assert.equal(memory.notes.exists('note:7'), false);
db.close();
