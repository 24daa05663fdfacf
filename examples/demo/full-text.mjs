/**
 * The glosses of all synsets as documents, found by their words, and by words and meaning at once.
 */
import * as report from './report.mjs';

const { check, figure, formatBytes, formatCount, formatMs, formatRate, section, text } = report;

const QUERIES = ['device for measuring time', 'large wild cat', 'the art of the theatre'];
const HITS_SHOWN = 3;
const SEARCHES = 1000;
const SNIPPET = { before: '', after: '', words: 12 };

/** The words as 'standard' finds them in these glosses, which are mostly ASCII. */
const wordsOf = (gloss) =>
  gloss
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];

/** Indexes the glosses; returns them by key. */
export function indexGlosses(db, { synsets }) {
  section('Full text: the gloss of each synset as a document');
  const glosses = new Map(synsets.map(([key, value]) => [key, JSON.parse(value).gloss]));
  const documents = db.ftKeyspace('glosses', { positions: true });
  const { durationMs } = report.timed(() => documents.putMany(glosses));
  const characters = [...glosses.values()].reduce((sum, gloss) => sum + gloss.length, 0);
  const { docCount, uniqueTerms, avgDocLen } = documents.stats();
  figure('indexed', formatMs(durationMs), `${formatRate(docCount, durationMs)} documents`);
  figure('text', formatBytes(characters), `${formatCount(uniqueTerms)} different words`);
  check('every gloss is a document', docCount === glosses.size);
  check(
    'the average length is that of a recount',
    Math.abs(avgDocLen - countWords(glosses) / glosses.size) < 1e-9,
  );
  return glosses;
}

function countWords(glosses) {
  let count = 0;
  for (const gloss of glosses.values()) count += wordsOf(gloss).length;
  return count;
}

/** BM25 by a plain loop over all glosses: what a search must find. */
function bestByLoop(glosses, query, topK) {
  const terms = wordsOf(query);
  const documents = [...glosses].map(([key, gloss]) => ({ key, words: wordsOf(gloss) }));
  const average = documents.reduce((sum, { words }) => sum + words.length, 0) / documents.length;
  const idf = terms.map((term) => {
    const count = documents.filter(({ words }) => words.includes(term)).length;
    return Math.log(1 + (documents.length - count + 0.5) / (count + 0.5));
  });
  const hits = documents.map(({ key, words }) => {
    const norm = 1.2 * (1 - 0.75 + (0.75 * words.length) / average);
    let score = 0;
    terms.forEach((term, index) => {
      const frequency = words.filter((word) => word === term).length;
      if (frequency > 0) score += (idf[index] * frequency * (1.2 + 1)) / (frequency + norm);
    });
    return { key, score };
  });
  hits.sort((a, b) => b.score - a.score || (a.key < b.key ? -1 : 1));
  return hits.slice(0, topK);
}

export function findByWords(db, glosses, vectors, { synsets }) {
  const documents = db.ftKeyspace('glosses');
  for (const query of QUERIES) {
    section(`Glosses for “${query}”`);
    for (const { score, snippet } of documents.search(query, {
      topK: HITS_SHOWN,
      snippet: SNIPPET,
    })) {
      text(`${score.toFixed(1)} ${snippet}`);
    }
  }
  const [query] = QUERIES;
  check(
    'a plain loop over all glosses finds the same ten, with the same scores, bit for bit',
    JSON.stringify(documents.search(query)) === JSON.stringify(bestByLoop(glosses, query, 10)),
  );
  const phrase = documents.search('"work of art"', { topK: glosses.size });
  check(
    'a phrase in quotes finds every gloss that has it',
    phrase.length === [...glosses.values()].filter((it) => /\bwork of art\b/i.test(it)).length,
  );
  fuse(db, vectors, synsets);
  measure(documents, glosses);
}

function fuse(db, vectors, synsets) {
  section('Both at once: words, and the vector of piano, fused by their ranks');
  const [piano] = JSON.parse(db.keyspace('lemmas').get('piano#n'));
  const at = synsets.findIndex(([key]) => key === piano);
  const hits = db.hybridSearch({
    text: { keyspace: db.ftKeyspace('glosses'), query: 'stringed instrument' },
    vector: { keyspace: db.keyspace('synsets'), query: vectors[at] },
    topK: HITS_SHOWN,
  });
  for (const { key, score, textRank = '-', vectorRank = '-' } of hits) {
    const { words } = JSON.parse(db.keyspace('synsets').get(key));
    text(`${score.toFixed(4)} ${words[0]} (words ${textRank}, vectors ${vectorRank})`);
  }
  check('the best one is found by both', hits[0].textRank > 0 && hits[0].vectorRank > 0);
}

function measure(documents, glosses) {
  section('Searches: the ten best of all, exactly');
  const all = [...glosses.values()].map(wordsOf).filter((words) => words.length > 3);
  for (const count of [2, 4]) {
    const queries = Array.from({ length: SEARCHES }, (_, index) => {
      const words = all[(index * 7919) % all.length];
      return Array.from({ length: count }, (__, at) => words[(at * 3) % words.length]).join(' ');
    });
    for (const query of queries) documents.search(query);
    const { durationMs } = report.timed(() => queries.map((query) => documents.search(query)));
    figure(`${count} words`, formatMs(durationMs / SEARCHES), formatRate(SEARCHES, durationMs));
  }
}
