/**
 * What a user does with a keyspace: look up, count, walk, increment, let expire, verify.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import * as report from './report.mjs';
import { PARTS_OF_SPEECH } from './wordnet.mjs';

const { check, figure, formatCount, formatMs, section, text } = report;

const SINGLE_INCREMENTS = 100;
const BATCHED_INCREMENTS = 1000;
const TTL_SECONDS = 1;
const SENSES_SHOWN = 3;
const WORDS_SHOWN = 10;

/** WordNet's mark for "is a kind of". */
const KIND_OF = '@';

/** A word's way up: memory, basic cognitive process, …, entity. */
function kindsOf(synsets, firstKey) {
  const names = [];
  const seen = new Set();
  for (let key = firstKey; key !== undefined && !seen.has(key); ) {
    seen.add(key);
    const { words, pointers } = JSON.parse(synsets.get(key));
    names.push(words[0]);
    key = pointers.find(([symbol]) => symbol === KIND_OF)?.[1];
  }
  return names;
}

export function lookUp(db, word) {
  const [synsets, lemmas] = [db.keyspace('synsets'), db.keyspace('lemmas')];
  const lemma = word.toLowerCase().replaceAll(' ', '_');
  section(`Look up: ${word}`);
  let isFound = false;
  for (const { letter, plural } of PARTS_OF_SPEECH) {
    const found = lemmas.get(`${lemma}#${letter}`);
    if (found === undefined) continue;
    isFound = true;
    const keys = JSON.parse(found);
    figure(plural, formatCount(keys.length), keys.length === 1 ? 'meaning' : 'meanings');
    for (const value of synsets.getMany(keys.slice(0, SENSES_SHOWN))) {
      const { words, gloss } = JSON.parse(value);
      text(`${words.join(', ')}: ${gloss}`);
    }
    if (letter === 'n') text(`${kindsOf(synsets, keys[0]).join(' › ')}`);
  }
  if (!isFound) text('WordNet does not know it.');
  check('a word that nobody wrote is not there', lemmas.get('mnemeless#n') === undefined);
}

export function countByPrefix(db, { counts, lemmas }) {
  section('Count by prefix: a few steps down the tree, however many match');
  const prefixes = PARTS_OF_SPEECH.map(({ letter, plural }) => [
    'synsets',
    `${letter}:`,
    plural,
    counts[letter],
  ]);
  const startingWithM = lemmas.filter(([key]) => key.startsWith('m')).length;
  prefixes.push(['lemmas', 'm', 'words in m', startingWithM]);
  for (const [name, prefix, label] of prefixes) {
    const keyspace = db.keyspace(name);
    const durationMs = report.usualMs(() => keyspace.count(prefix));
    figure(label, formatCount(keyspace.count(prefix)), formatMs(durationMs));
  }
  check(
    'every count is that of the source',
    prefixes.every(([name, prefix, , count]) => db.keyspace(name).count(prefix) === count),
  );
}

export function walkRange(db, { lemmas }) {
  section("Walk a range: words from 'mne' to before 'mnf'");
  const inRange = (key) => key >= 'mne' && key < 'mnf';
  const { result, durationMs } = report.timed(() =>
    db
      .keyspace('lemmas')
      .range('mne', 'mnf')
      .map(([key]) => key)
      .toArray(),
  );
  text(result.join(' '));
  figure('walked', formatCount(result.length), formatMs(durationMs));
  const expected = lemmas
    .map(([key]) => key)
    .filter(inRange)
    .sort();
  check('the range is complete and in order', result.join() === expected.join());
  const last = db.keyspace('lemmas').range({ prefix: 'mne', reverse: true, limit: 1 }).toArray();
  check('walked backwards, it begins at the end', last[0]?.[0] === expected.at(-1));
}

/** How many meanings each word has, as all parts of speech together. */
function meaningsOf(lemmas) {
  const meanings = new Map();
  for (const [key, value] of lemmas) {
    const word = key.slice(0, key.lastIndexOf('#'));
    meanings.set(word, (meanings.get(word) ?? 0) + JSON.parse(value).length);
  }
  return [...meanings];
}

export function rankByMeanings(db, { lemmas }, word) {
  section('A leaderboard: the words with the most meanings');
  const board = db.keyspace('lemmas').sortedSet('meanings');
  const meanings = meaningsOf(lemmas);
  const { durationMs } = report.timed(() =>
    db.batch(() => {
      for (const [each, count] of meanings) board.add(count, each);
    }),
  );
  figure('added', formatCount(board.card()), report.formatRate(meanings.length, durationMs));
  const first = board.rangeByRank(0, WORDS_SHOWN - 1, { reverse: true });
  text(first.map(({ score, member }) => `${member} ${score}`).join(', '));
  const lemma = word.toLowerCase().replaceAll(' ', '_');
  const rank = board.rank(lemma, { reverse: true });
  if (rank !== undefined) {
    const usualMs = report.usualMs(() => board.rank(lemma, { reverse: true }));
    figure(`rank of ${word}`, formatCount(rank + 1), formatMs(usualMs));
  }
  const byMeanings = meanings.map(([, count]) => count).sort((left, right) => right - left);
  check(
    'the first ones are those of the source',
    first.map(({ score }) => score).join() === byMeanings.slice(0, WORDS_SHOWN).join(),
  );
}

export function countVisits(db) {
  section('Counters');
  const counters = db.keyspace('counters');
  const single = report.timed(() => {
    for (let done = 0; done < SINGLE_INCREMENTS; done += 1) counters.incr('visits');
  });
  figure(
    'one by one',
    formatMs(single.durationMs / SINGLE_INCREMENTS),
    'each, on disk at its return',
  );
  const batched = report.timed(() =>
    counters.batch((batch) => {
      for (let done = 0; done < BATCHED_INCREMENTS; done += 1) batch.incr('visits');
    }),
  );
  figure(
    'in one batch',
    formatMs(batched.durationMs / BATCHED_INCREMENTS),
    'each, together on disk',
  );
  check(
    `the counter stands at ${formatCount(SINGLE_INCREMENTS + BATCHED_INCREMENTS)}`,
    counters.get('visits') === SINGLE_INCREMENTS + BATCHED_INCREMENTS,
  );
  counters.setInteger('large', 2n ** 53n);
  check('past 2^53 it stays exact', counters.incr('large') === 2n ** 53n + 1n);
}

export async function expire(db) {
  section(`Expiry: a key that lives for ${TTL_SECONDS} s`);
  const sessions = db.keyspace('sessions');
  sessions.set('session:42', 'signed in', { ttl: TTL_SECONDS });
  const left = sessions.ttl('session:42');
  check('at first it is there', sessions.get('session:42') === 'signed in' && left <= TTL_SECONDS);
  await sleep(TTL_SECONDS * 1000 + 50);
  check(
    'then it is gone, and is not counted',
    sessions.get('session:42') === undefined && sessions.count() === 0,
  );
  figure('purged', formatCount(sessions.purgeExpired()), 'by an index in order of expiry');
}

export function verify(db) {
  section('Verify: every page, its checksum, and who points at it');
  const { result, durationMs } = report.timed(() => db.verify());
  figure('pages', formatCount(result.pagesChecked), formatMs(durationMs));
  for (const { page, message } of result.problems) text(`page ${page}: ${message}`);
  check('the file is sound', result.ok);
}
