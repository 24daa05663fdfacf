/**
 * A vector for every synset, made from its words and its gloss, and what is nearest to some.
 *
 * A vector lies in the keyspace of the synsets, under the synset's key, beside its record.
 */
import { availableParallelism } from 'node:os';
import { TextVectors } from '../text-vectors.mjs';
import * as report from './report.mjs';

const { check, figure, formatCount, formatMs, formatRate, section, text } = report;

const BATCH_RECORDS = 1000;
const LEMMAS = ['dog#n', 'piano#n', 'democracy#n'];
const HITS_SHOWN = 5;
const LINE_WIDTH = 74;
const SEARCHES = 200;

/** What a synset is, without the examples of its use, which are about something else. */
function textOf(value) {
  const { words, gloss } = JSON.parse(value);
  return `${words.join(' ')} ${gloss.replace(/"[^"]*"/g, '')}`;
}

/** Makes the vectors and stores them; returns them in the order of the synsets. */
export function storeVectors(db, { synsets }) {
  section('Vectors: one for each synset, from its words and its gloss, by projected TF-IDF');
  const texts = synsets.map(([, value]) => textOf(value));
  const learned = report.timed(() => new TextVectors(texts));
  const { dimension, wordCount } = learned.result;
  figure('words learned', formatCount(wordCount), formatMs(learned.durationMs));
  const made = report.timed(() => texts.map((each) => learned.result.vectorOf(each)));
  figure(
    'vectors made',
    formatCount(texts.length),
    `${formatMs(made.durationMs)}, of ${dimension} dimensions`,
  );
  const keyspace = db.keyspace('synsets');
  const bar = report.progress('storing', synsets.length);
  const { durationMs } = report.timed(() => {
    for (let first = 0; first < synsets.length; first += BATCH_RECORDS) {
      const last = Math.min(first + BATCH_RECORDS, synsets.length);
      db.batch(() => {
        for (let at = first; at < last; at += 1) keyspace.vset(synsets[at][0], made.result[at]);
      });
      bar.update(last);
    }
  });
  bar.stop();
  figure('stored', formatMs(durationMs), `${formatRate(synsets.length, durationMs)} vectors`);
  check(
    'every synset has its vector, number for number',
    keyspace.vcount() === synsets.length &&
      synsets.every(([key], at) => isSame(keyspace.vget(key), made.result[at])),
  );
  return made.result;
}

const isSame = (left, right) => Buffer.from(left.buffer).equals(Buffer.from(right.buffer));

/** The nearest by a plain loop over all vectors: what a search must find. */
function nearestByLoop(vectors, query, count) {
  const similarities = vectors.map((vector) => {
    let sum = 0;
    for (let at = 0; at < query.length; at += 1) sum += vector[at] * query[at];
    return sum;
  });
  const numbers = [...similarities.keys()];
  numbers.sort((left, right) => similarities[right] - similarities[left]);
  return numbers.slice(0, count);
}

function show(keyspace, { key, score }, remark = '') {
  const { words, gloss } = JSON.parse(keyspace.get(key));
  const line = `${(1 - score).toFixed(2)} ${remark}${words[0]}: ${gloss}`;
  text(line.length > LINE_WIDTH ? `${line.slice(0, LINE_WIDTH - 1)}…` : line);
}

export function findNearest(db, { synsets }, vectors) {
  const keyspace = db.keyspace('synsets');
  const numbers = new Map(synsets.map(([key], number) => [key, number]));
  let isExact = true;
  for (const lemma of LEMMAS) {
    const [key] = JSON.parse(db.keyspace('lemmas').get(lemma));
    section(`Synsets nearest to ${lemma.slice(0, lemma.indexOf('#'))}, by cosine`);
    const query = vectors[numbers.get(key)];
    const [, ...hits] = keyspace.vsearch(query, { topK: HITS_SHOWN + 1 });
    for (const hit of hits) show(keyspace, hit);
    const [, ...expected] = nearestByLoop(vectors, query, HITS_SHOWN + 1);
    isExact &&= hits.map(({ key }) => numbers.get(key)).join() === expected.join();
    const [verb] = keyspace.vsearch(query, { topK: 1, filter: 'v:' });
    show(keyspace, verb, 'nearest verb: ');
    isExact &&= verb.key.startsWith('v:');
  }
  check('a plain loop over all vectors finds the same', isExact);
  measureSearches(keyspace, vectors);
}

function measureSearches(keyspace, vectors) {
  section('Searches: the ten nearest of all, exactly');
  const stride = Math.floor(vectors.length / SEARCHES);
  const queries = Array.from({ length: SEARCHES }, (_, index) => vectors[index * stride]);
  const threadsMax = Math.min(availableParallelism(), 8);
  const found = [];
  for (const threads of threadsMax > 1 ? [1, threadsMax] : [1]) {
    // The first search starts the readers.
    keyspace.vsearch(queries[0], { threads });
    const { result, durationMs } = report.timed(() =>
      queries.map((query) => keyspace.vsearch(query, { threads })),
    );
    found.push(result);
    const label = threads === 1 ? 'one thread' : `${threads} threads`;
    figure(label, formatMs(durationMs / SEARCHES), formatRate(SEARCHES, durationMs));
  }
  const together = report.timed(() => keyspace.vsearchMany(queries));
  figure(
    'vsearchMany',
    formatMs(together.durationMs / SEARCHES),
    `${formatRate(SEARCHES, together.durationMs)}, ${SEARCHES} in one call, one thread`,
  );
  found.push(together.result);
  const first = JSON.stringify(found[0]);
  check(
    'the same hits with the same scores, bit for bit, each time',
    found.every((hits) => JSON.stringify(hits) === first),
  );
}
