/**
 * Search by meaning in this repository's own documents: README.md and docs/*.md.
 *
 * Run it after `npm run build` with `node examples/semantic-search.mjs [question]`; without a
 * question it asks a few of its own. The vectors come from text-vectors.mjs, which learns from
 * these documents alone; put an embedding model's in their place and the rest stays as it is.
 *
 *   key                      value
 *   docs/format.md#0007      {"heading":"Page header","text":"The first 32 bytes of …"}
 *
 * and, under the same key, the passage's vector. It checks what it finds against a plain loop.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { open } from 'mneme';
import { TextVectors } from './text-vectors.mjs';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const PASSAGE_LENGTH = 600;
const SHOWN = 3;
const LINE_WIDTH = 76;
const QUESTIONS = [
  'What is left after a power cut in the middle of a commit?',
  'When may a free page be used again?',
  'Which pages leave the cache?',
];

/** Paragraphs of a Markdown text, each with the heading it stands under. */
function* paragraphsOf(markdown) {
  let heading = '';
  for (const paragraph of markdown.split(/\n{2,}/)) {
    const lines = paragraph.split('\n');
    if (/^#+ /.test(lines[0])) heading = lines.shift().replace(/^#+ /, '');
    const text = lines.join('\n').trim();
    if (text !== '') yield { heading, text };
  }
}

/** Paragraphs under one heading, put together while they are short. */
function passagesOf(markdown) {
  const passages = [];
  for (const { heading, text } of paragraphsOf(markdown)) {
    const last = passages.at(-1);
    if (last?.heading === heading && last.text.length + text.length < PASSAGE_LENGTH) {
      last.text += `\n\n${text}`;
    } else passages.push({ heading, text });
  }
  return passages;
}

/** All passages by key, in the order in which they stand. */
function readPassages() {
  const documents = readdirSync(`${ROOT}docs`).filter((name) => name.endsWith('.md'));
  const paths = ['README.md', ...documents.map((name) => `docs/${name}`)];
  return paths.flatMap((path) =>
    passagesOf(readFileSync(ROOT + path, 'utf8')).map((passage, number) => [
      `${path}#${String(number).padStart(4, '0')}`,
      passage,
    ]),
  );
}

const wholeText = ({ heading, text }) => `${heading} ${heading} ${text}`;

/** The nearest keys by a plain loop: what a search must find. */
function nearestByLoop(vectors, query) {
  const similarity = (vector) => vector.reduce((sum, value, at) => sum + value * query[at], 0);
  const found = [...vectors].map(([key, vector]) => ({ key, similarity: similarity(vector) }));
  found.sort((left, right) => right.similarity - left.similarity);
  return found.slice(0, SHOWN).map(({ key }) => key);
}

function show(pages, hits) {
  for (const { key, score } of hits) {
    const { heading, text } = JSON.parse(pages.get(key));
    const line = `  ${(1 - score).toFixed(2)} ${key}, ${heading}: ${text.replace(/\s+/g, ' ')}`;
    console.log(line.length > LINE_WIDTH ? `${line.slice(0, LINE_WIDTH - 1)}…` : line);
  }
}

const passages = readPassages();
const learned = new TextVectors(passages.map(([, passage]) => wholeText(passage)));
const vectors = new Map(
  passages.map(([key, passage]) => [key, learned.vectorOf(wholeText(passage))]),
);
const db = open(':memory:');
const pages = db.keyspace('pages');
db.batch(() => {
  for (const [key, passage] of passages) {
    pages.set(key, JSON.stringify(passage));
    pages.vset(key, vectors.get(key));
  }
});
console.log(`${pages.vcount()} passages, ${pages.vcount('docs/')} of them in docs/`);

const asked = process.argv.slice(2).join(' ');
for (const question of asked === '' ? QUESTIONS : [asked]) {
  const query = learned.vectorOf(question);
  const hits = pages.vsearch(query, { topK: SHOWN });
  console.log(`\n${question}`);
  show(pages, hits);
  assert.deepEqual(
    hits.map(({ key }) => key),
    nearestByLoop(vectors, query),
  );
}

const [question] = asked === '' ? QUESTIONS : [asked];
const query = learned.vectorOf(question);
console.log('\nThe first question again, only in the README (a prefix):');
const inReadme = pages.vsearch(query, { topK: SHOWN, filter: 'README.md#' });
show(pages, inReadme);
assert.ok(inReadme.every(({ key }) => key.startsWith('README.md#')));

console.log('\nAnd only in passages with a table (a function):');
const hasTable = (key) => JSON.parse(pages.get(key)).text.includes('|--');
const inTables = pages.vsearch(query, { topK: SHOWN, filter: hasTable });
show(pages, inTables);
assert.ok(inTables.length === SHOWN && inTables.every(({ key }) => hasTable(key)));

db.close();
