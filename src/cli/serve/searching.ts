/**
 * Searches, and how they come to their order: analysed words and the parts of BM25, distances of
 * vectors, ranks and their fusion.
 */
import type { Database } from '../../api/database.js';
import type { Keyspace } from '../../api/keyspace.js';
import type { FtSearchOptions } from '../../api/text-search-options.js';
import { parseVector } from '../../shared/bytes/typed-value.js';
import type { Metric } from '../../shared/bytes/vector-codes.js';
import { outOfRange } from '../../shared/errors.js';
import type { ExplainedHit, HybridAnswer, QueryTerm, TextAnswer, VectorAnswer } from './answers.js';
import type { Latencies } from './latencies.js';
import { NotThere, numberIn, type Question, textIn, wordIn } from './question.js';

const METRICS: readonly [Metric, ...Metric[]] = ['cosine', 'dot', 'l2'];
const SNIPPET = { before: '\u0002', after: '\u0003', words: 24 };

interface Asked {
  readonly database: Database;
  readonly latencies: Latencies;
  readonly question: Question;
}

/** The words of a query and what each adds to each hit. */
export function searchTexts(asked: Asked): TextAnswer {
  const { database, latencies, question } = asked;
  const keyspace = database.ftKeyspace(textIn(question, 'keyspace'));
  const query = textIn(question, 'q');
  const options: FtSearchOptions = {
    topK: numberIn(question, 'top', 10),
    operator: wordIn(question, 'operator', ['or', 'and']),
    ...parameter(question, 'k1'),
    ...parameter(question, 'b'),
  };
  const start = performance.now();
  latencies.time('text search', () => keyspace.search(query, options));
  const tookMs = performance.now() - start;
  const explained = keyspace.explain(query, options);
  if (explained === undefined) throw new NotThere('nothing is indexed yet');
  const { request, documents, averageLength } = explained;
  const terms = request.parts.map(({ kind, terms: words }, index): QueryTerm => {
    const text = words.map((word) => Buffer.from(word).toString()).join(' ');
    return { kind, text, ...explained.parts[index] };
  });
  const cut = keyspace.search(query, { ...options, snippet: SNIPPET });
  const snippets = new Map(cut.map(({ key, snippet }) => [key, snippet]));
  const hits = explained.hits.map(({ id, score, length, parts }): ExplainedHit => {
    const key = Buffer.from(id).toString();
    const snippet = snippets.get(key) ?? '';
    return { key, score, length, parts: parts.map((part) => part ?? null), snippet };
  });
  const { k1, b } = request;
  return { tookMs, terms, hits, documents, averageLength, k1, b };
}

function parameter(question: Question, name: 'k1' | 'b'): { k1?: number; b?: number } {
  const text = question.query.get(name);
  return text === null || text === '' ? {} : { [name]: numberIn(question, name, 0) };
}

/** The nearest vectors, with their distances. */
export function searchVectors(asked: Asked): VectorAnswer {
  const { database, latencies, question } = asked;
  const keyspace = database.keyspace(textIn(question, 'keyspace'));
  const metric = wordIn(question, 'metric', METRICS);
  const query = vectorOf(keyspace, textIn(question, 'q'));
  const topK = numberIn(question, 'top', 10);
  const start = performance.now();
  const hits = latencies.time('vector search', () => keyspace.vsearch(query, { metric, topK }));
  return { tookMs: performance.now() - start, metric, dimension: query.length, hits };
}

/** Numbers with commas, or the key whose vector is meant. */
function vectorOf(keyspace: Keyspace, text: string): ArrayLike<number> {
  if (/^[\s[\]\d.,eE+-]+$/u.test(text) && text.includes(',')) return parseVector(text);
  const vector = keyspace.vget(text);
  if (vector === undefined)
    throw new NotThere(`${text} is neither numbers nor a key with a vector`);
  return vector;
}

/** What words and vectors find together, with both ranks. */
export function searchBoth(asked: Asked): HybridAnswer {
  const { database, latencies, question } = asked;
  const texts = database.ftKeyspace(textIn(question, 'keyspace'));
  const vectors = database.keyspace(textIn(question, 'vectors'));
  const query = textIn(question, 'q');
  const vector = vectorOf(vectors, textIn(question, 'vector'));
  const k = numberIn(question, 'k', 60);
  const [textWeight, vectorWeight] = [numberIn(question, 'wt', 1), numberIn(question, 'wv', 1)];
  if (k < 0) throw outOfRange('k', 'at least 0', k);
  const start = performance.now();
  const hits = latencies.time('text search', () =>
    database.hybridSearch({
      text: { keyspace: texts, query, weight: textWeight },
      vector: {
        ...{ keyspace: vectors, query: vector, weight: vectorWeight },
        metric: wordIn(question, 'metric', METRICS),
      },
      ...{ k, topK: numberIn(question, 'top', 10) },
    }),
  );
  const tookMs = performance.now() - start;
  return { tookMs, k, textWeight, vectorWeight, terms: texts.analyze(query), hits };
}
