/**
 * A keyspace of full text as a slow, obvious model: a map of documents, a list of the terms that
 * each document in the index has, and a search that looks at all of them.
 *
 * A document of the index is known by a number that is never used again, so that one that was
 * removed while indexing was paused is not taken for another that came by the same id.
 */
import type { Key } from 'mneme';
import { ModelError } from '../model/model-error.js';
import { checkWholeNumber } from '../model/model-range.js';
import { byteText, givenKey, storedKey } from '../model/stored.js';

const TERM_BYTES_MAX = 255;

/** What a model and a handle are made with. */
export interface TextSettings {
  readonly analyze: (text: string) => string[];
  readonly k1: number;
  readonly b: number;
  readonly positions: boolean;
}

export interface SearchOptions {
  topK?: number;
  k1?: number;
  b?: number;
  filter?: Key | ((docId: string) => boolean);
  operator?: 'or' | 'and';
}

export interface Hit {
  readonly key: string;
  readonly score: number;
}

export interface Stats {
  readonly docCount: number;
  readonly uniqueTerms: number;
  readonly avgDocLen: number;
  readonly totalDocLen: number;
  readonly pending: number;
}

/** What a snapshot has too. */
export interface TextReader {
  get(docId: Key): string | undefined;
  exists(docId: Key): boolean;
  search(query: string, options?: SearchOptions): Hit[];
  scan(prefix?: Key): Iterable<[string, string]>;
  count(prefix?: Key): number;
  stats(): Stats;
}

export interface RebuildOptions {
  onProgress?: (progress: { done: number; total: number; phase: string }) => void;
}

/** What of a handle the model has too. */
export interface SubjectText extends TextReader {
  put(docId: Key, text: string): void;
  del(docId: Key): boolean;
  putMany(docs: Iterable<readonly [Key, string]>): void;
  pauseIndexing(): void;
  rebuildIndex(options?: RebuildOptions): void;
  analyze(text: string): string[];
}

/** A document as the index has it: its terms in their order, and how often it has each. */
interface Indexed {
  /** As text of bytes; see stored.ts. */
  readonly id: string;
  readonly terms: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
}

interface Content {
  /** By id: the document's number and its text. */
  readonly documents: Map<string, { readonly number: number; readonly text: string }>;
  /** By number. */
  readonly index: Map<number, Indexed>;
  /** Numbers of documents that were put or removed while indexing was paused. */
  readonly pending: Map<number, 'put' | 'removed'>;
  paused: boolean;
  lastNumber: number;
}

function emptyContent(): Content {
  const maps = { documents: new Map(), index: new Map(), pending: new Map() };
  return { ...maps, paused: false, lastNumber: 0 };
}

function copyOf({ documents, index, pending, ...rest }: Content): Content {
  const maps = { documents: new Map(documents), index: new Map(index), pending: new Map(pending) };
  return { ...maps, ...rest };
}

/** How often one part of a query stands in a document. */
type Frequency = (document: Indexed) => number;

export class NaiveText implements SubjectText {
  readonly settings: TextSettings;
  /** What is refused in a batch is refused as long as this is not 0. */
  batchDepth = 0;
  #content: Content;

  constructor(settings: TextSettings, content = emptyContent()) {
    this.settings = settings;
    this.#content = content;
  }

  /** A state that stays as it is. */
  snapshot(): NaiveText {
    return new NaiveText(this.settings, copyOf(this.#content));
  }

  restore(snapshot: NaiveText): void {
    this.#content = copyOf(snapshot.#content);
  }

  drop(): void {
    this.#content = emptyContent();
  }

  /** All ids in their order. */
  ids(): string[] {
    return this.#sorted().map(([id]) => textOf(id));
  }

  get(docId: Key): string | undefined {
    return this.#content.documents.get(storedKey(docId, 'text'))?.text;
  }

  exists(docId: Key): boolean {
    return this.#content.documents.has(storedKey(docId, 'text'));
  }

  count(prefix?: Key): number {
    return this.scan(prefix).length;
  }

  scan(prefix?: Key): [string, string][] {
    const start = prefix === undefined ? '' : byteText(prefix);
    const within = this.#sorted().filter(([id]) => id.startsWith(start));
    return within.map(([id, { text }]) => [textOf(id), text]);
  }

  #sorted(): [string, { readonly number: number; readonly text: string }][] {
    return [...this.#content.documents].sort(([one], [other]) => (one < other ? -1 : 1));
  }

  put(docId: Key, text: string): void {
    const { documents, index, pending, paused } = this.#content;
    const id = storedKey(docId, 'text');
    if (typeof text !== 'string' || !text.isWellFormed()) throw new TypeError('no text');
    const indexed = this.#indexed(id, text);
    const number = documents.get(id)?.number ?? ++this.#content.lastNumber;
    documents.set(id, { number, text });
    if (paused) pending.set(number, 'put');
    else index.set(number, indexed);
  }

  del(docId: Key): boolean {
    const { documents, index, pending, paused } = this.#content;
    const id = storedKey(docId, 'text');
    const number = documents.get(id)?.number;
    if (number === undefined) return false;
    documents.delete(id);
    if (paused && index.has(number)) pending.set(number, 'removed');
    else pending.delete(number);
    if (!paused) index.delete(number);
    return true;
  }

  /** All of them or none. */
  putMany(docs: Iterable<readonly [Key, string]>): void {
    const before = copyOf(this.#content);
    try {
      for (const [docId, text] of docs) this.put(docId, text);
    } catch (error) {
      this.#content = before;
      throw error;
    }
  }

  pauseIndexing(): void {
    this.#content.paused = true;
  }

  rebuildIndex({ onProgress }: RebuildOptions = {}): void {
    if (this.batchDepth > 0) throw new ModelError('ERR_MNEME_BATCH_ACTIVE');
    onProgress?.({ done: 0, total: this.#content.documents.size, phase: 'index' });
    const { documents, index, pending } = this.#content;
    index.clear();
    pending.clear();
    for (const [id, { number, text }] of documents) index.set(number, this.#indexed(id, text));
    this.#content.paused = false;
  }

  analyze(text: string): string[] {
    return attemptToAnalyze(this.settings.analyze, text);
  }

  #indexed(id: string, text: string): Indexed {
    const terms = this.analyze(text).map(termOf);
    const counts = new Map<string, number>();
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
    return { id, terms, counts };
  }

  /** Counts everything again. */
  stats(): Stats {
    const all = [...this.#content.index.values()];
    const terms = new Set<string>();
    let totalDocLen = 0;
    for (const document of all) {
      totalDocLen += document.terms.length;
      for (const term of document.counts.keys()) terms.add(term);
    }
    return {
      docCount: all.length,
      uniqueTerms: terms.size,
      avgDocLen: all.length === 0 ? 0 : totalDocLen / all.length,
      totalDocLen,
      pending: this.#content.pending.size,
    };
  }

  search(query: string, options: SearchOptions = {}): Hit[] {
    const { topK = 10 } = options;
    checkWholeNumber(topK);
    return this.ranked(query, options).slice(0, topK);
  }

  /** Every document that is found, in order. */
  ranked(query: string, options: Omit<SearchOptions, 'topK'> = {}): Hit[] {
    const { k1 = this.settings.k1, b = this.settings.b, operator = 'or' } = options;
    if (!(k1 >= 0) || !(b >= 0 && b <= 1)) throw new RangeError('k1 or b');
    const parts = this.#partsOf(query);
    const all = [...this.#content.index.values()];
    const averageLength = all.reduce((sum, { terms }) => sum + terms.length, 0) / all.length;
    const frequencies = parts.map((part) => all.map(part));
    const weights = frequencies.map((each) => {
      const n = each.filter((frequency) => frequency > 0).length;
      return Math.log(1 + (all.length - n + 0.5) / (n + 0.5));
    });
    const found: { id: string; score: number }[] = [];
    [...this.#content.index].forEach(([number, { id, terms }], at) => {
      const inDocument = frequencies.map((each) => each[at] as number);
      const isMatch = (frequency: number): boolean => frequency > 0;
      if (!(operator === 'and' ? inDocument.every(isMatch) : inDocument.some(isMatch))) return;
      if (parts.length === 0 || !this.#isAlive(number) || !accepts(options.filter, id)) return;
      let score = 0;
      inDocument.forEach((tf, part) => {
        const idf = weights[part] as number;
        const norm = tf + k1 * (1 - b + (b * terms.length) / averageLength);
        if (tf > 0) score += (idf * tf * (k1 + 1)) / norm;
      });
      found.push({ id, score });
    });
    found.sort((one, other) => other.score - one.score || (one.id < other.id ? -1 : 1));
    return found.map(({ id, score }) => ({ key: textOf(id), score }));
  }

  #isAlive(number: number): boolean {
    return this.#content.pending.get(number) !== 'removed';
  }

  /** What the query asks for, one by one. */
  #partsOf(query: string): Frequency[] {
    const words = (text: string): Frequency[] => this.analyze(text).map(termOf).map(frequencyOf);
    if (!this.settings.positions) return words(query);
    return [...query.matchAll(/"([^"]*)"|(\S+)/gu)].flatMap(([, quoted, word]) => {
      if (quoted !== undefined) {
        const terms = this.analyze(quoted).map(termOf);
        return terms.length < 2 ? terms.map(frequencyOf) : [phraseFrequencyOf(terms)];
      }
      if (word?.endsWith('*') !== true) return words(word as string);
      const terms = this.analyze(word.slice(0, -1)).map(termOf);
      const last = terms.pop();
      const before = terms.map(frequencyOf);
      return last === undefined ? before : [...before, prefixFrequencyOf(last)];
    });
  }
}

function frequencyOf(term: string): Frequency {
  return ({ counts }) => counts.get(term) ?? 0;
}

function phraseFrequencyOf(phrase: readonly string[]): Frequency {
  return ({ terms }) =>
    terms.filter((_, from) => phrase.every((term, at) => terms[from + at] === term)).length;
}

function prefixFrequencyOf(prefix: string): Frequency {
  return ({ terms }) => terms.filter((term) => term.startsWith(prefix)).length;
}

function textOf(id: string): string {
  return givenKey(id, 'text') as string;
}

function accepts(filter: SearchOptions['filter'], id: string): boolean {
  if (filter === undefined) return true;
  return typeof filter === 'function' ? filter(textOf(id)) : id.startsWith(byteText(filter));
}

/** A term as the index has it: as text of bytes, and no longer than 255 of them. */
function termOf(term: string): string {
  let end = term.length;
  while (Buffer.byteLength(term.slice(0, end)) > TERM_BYTES_MAX) end--;
  const cut = term.slice(0, end);
  return byteText(cut.isWellFormed() ? cut : cut.slice(0, -1));
}

function attemptToAnalyze(analyze: (text: string) => string[], text: string): string[] {
  try {
    return analyze(text);
  } catch {
    throw new ModelError('ERR_MNEME_ANALYZER_FAILED');
  }
}
