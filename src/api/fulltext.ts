/**
 * A keyspace of full text: documents by their ids, found by the words in them.
 */
import type { TextExplanation, TextRequest } from '../reader/text-query.js';
import type { FoundDocument } from '../reader/text-search.js';
import { invalidType, MnemeError } from '../shared/errors.js';
import type { KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import { indexOf, textOf } from '../shared/keyspaces/fulltext.js';
import type { TextSettings, TextState } from '../shared/keyspaces/text-state.js';
import * as messages from '../shared/memory/messages.js';
import type { Core } from './core.js';
import { fixedKey, type Key } from './keys.js';
import { Keyspace, type KeyspaceReader, type KeyspaceView } from './keyspace.js';
import { KeyspaceAccess, type StillState } from './keyspace-access.js';
import type { RangeIterator } from './range-iterator.js';
import { snippetOf } from './snippet.js';
import {
  ANALYZER_DEFAULT,
  analyzerMismatch,
  type FtOptions,
  NamedAnalyzer,
  settingsOf,
} from './text-analysis.js';
import { queryParts, termBytes, termMatcher } from './text-query.js';
import { rebuild } from './text-rebuild.js';
import {
  type CheckedTextSearch,
  checkTextSearch,
  type FtSearchOptions,
} from './text-search-options.js';
import { TextSender } from './text-sender.js';
import type { Progress } from './verify.js';

/** A document that was found. */
export interface FtHit {
  key: string;
  score: number;
  /** The passage with the most words of the query, when it was asked for. */
  snippet?: string;
}

export interface FtStats {
  /** Documents in the index. */
  docCount: number;
  uniqueTerms: number;
  /** Terms in a document; 0 without documents. */
  avgDocLen: number;
  totalDocLen: number;
  /** Documents that were put or removed while indexing was paused. */
  pending: number;
}

/** How a search comes to its scores. */
export interface ExplainedSearch extends TextExplanation {
  readonly request: TextRequest;
}

/** How many more hits are looked for when a filter leaves too few. */
const WIDENING = 8;

export class FtKeyspace {
  readonly name: string;
  readonly #core: Core;
  readonly #options: FtOptions;
  readonly #access: KeyspaceAccess;
  /** The documents, as values by their ids. */
  readonly #store: Keyspace;
  readonly #sender: TextSender;
  #analyzer: NamedAnalyzer | undefined;

  /** @internal */
  constructor(
    core: Core,
    name: string,
    options: FtOptions,
    stored: TextSettings | undefined,
    scope: number,
    view?: KeyspaceView,
  ) {
    const settings = settingsOf(options, stored);
    const kind = { keys: 'text', encrypted: options.encrypted, settings } as const;
    const access = new KeyspaceAccess(core, name, kind, scope, view);
    this.name = name;
    this.#core = core;
    this.#options = options;
    this.#access = access;
    this.#store = new Keyspace(core, name, kind, 'auto', scope, view, access);
    this.#sender = new TextSender(core, access);
  }

  /** Where the handle comes from. @internal */
  get origin() {
    return { core: this.#core, options: this.#options, view: this.#access.view };
  }

  /** The documents as values by their ids, to be read in any range. @internal */
  get documents(): KeyspaceReader {
    return this.#store;
  }

  /**
   * Stores a document, in place of the one that has the id, and indexes its terms.
   * @throws {MnemeError} `ERR_MNEME_ANALYZER_MISSING`, `ERR_MNEME_ANALYZER_FAILED`,
   * `ERR_MNEME_KEY_TOO_LARGE`, `ERR_MNEME_VALUE_TOO_LARGE`; nothing is stored then.
   */
  put(docId: Key, text: string): void {
    this.#access.assertWritable();
    const id = fixedKey(docId, 'text');
    if (typeof text !== 'string') throw invalidType('text', 'a string', text);
    this.#analyzer ??= this.#analyzerNow(); // the writer looks whether it still is the one
    const document = this.#analyzer.document(text);
    this.#access.assertWritable(); // whatever the analyzer did
    this.#sender.put(id, text, document);
  }

  /** Many documents in one transaction. */
  putMany(docs: Iterable<readonly [Key, string]>): void {
    this.#access.assertWritable();
    if (typeof docs?.[Symbol.iterator] !== 'function') throw invalidType('docs', 'iterable', docs);
    this.#core.transactions.run(() => {
      for (const document of docs) {
        if (!Array.isArray(document)) throw invalidType('docs', 'pairs of id and text', document);
        this.put(document[0], document[1]);
      }
    });
  }

  /** The text of a document, or undefined. */
  get(docId: Key): string | undefined {
    return this.#store.get(docId) as string | undefined;
  }

  /** True when there was such a document. */
  del(docId: Key): boolean {
    return this.#access.sendKey(messages.DELETE_TEXT, docId, 0, this.#core.now()) === 1;
  }

  exists(docId: Key): boolean {
    return this.#store.exists(docId);
  }

  /** Ids and texts in byte order of the ids. */
  scan(prefix?: Key): RangeIterator<[string, string]> {
    const range = prefix === undefined ? {} : { prefix };
    return this.#store.range(range) as RangeIterator<[string, string]>;
  }

  /** Documents whose ids have this prefix. O(log n). */
  count(prefix?: Key): number {
    return this.#store.count(prefix);
  }

  /** What the index counts: it lags behind the documents while indexing is paused. */
  stats(): FtStats {
    this.#access.assertReadable();
    return this.#access.read(() => {
      const record = this.#access.record();
      if (record === undefined) {
        return { docCount: 0, uniqueTerms: 0, avgDocLen: 0, totalDocLen: 0, pending: 0 };
      }
      const { counters, terms, pending } = indexOf(record, 'current');
      const { documents: docCount, totalLength: totalDocLen } = counters;
      const avgDocLen = docCount === 0 ? 0 : totalDocLen / docCount;
      const uniqueTerms = terms.count;
      return { docCount, uniqueTerms, avgDocLen, totalDocLen, pending: pending.count };
    });
  }

  /** The terms that the keyspace's analyzer makes of a text. */
  analyze(text: string): string[] {
    this.#access.assertReadable();
    if (typeof text !== 'string') throw invalidType('text', 'a string', text);
    return this.#analyzerNow().terms(text);
  }

  /** From here on documents are stored and not indexed, until `rebuildIndex`. */
  pauseIndexing(): void {
    this.#access.assertWritable();
    this.#sender.control(messages.PAUSE_TEXT);
  }

  /**
   * Indexes all documents anew, 1000 in a transaction, beside the index that serves meanwhile, and
   * indexes as they are put from then on. Killed on the way, it leaves the old index.
   */
  rebuildIndex(options: { onProgress?: (progress: Progress) => void } = {}): void {
    this.#access.assertWritable();
    if (typeof options !== 'object' || options === null) {
      throw invalidType('options', 'an object', options);
    }
    const { onProgress } = options;
    if (onProgress !== undefined && typeof onProgress !== 'function') {
      throw invalidType('onProgress', 'a function', onProgress);
    }
    if (this.#core.transactions.isActive) throw new MnemeError('ERR_MNEME_BATCH_ACTIVE');
    const analyzer = this.#analyzerNow();
    analyzer.assertKnown();
    rebuild(this.#core, this.#access, this.#sender, analyzer, onProgress);
  }

  /** Indexes everything by this handle's analyzer and positions. @internal */
  reindex(): void {
    this.#access.assertWritable();
    const { analyzerName, analyzer } = this.#options;
    const stored = this.#access.read(() => this.#access.record()?.text?.analyzerName);
    const named = new NamedAnalyzer(analyzerName ?? stored ?? ANALYZER_DEFAULT, analyzer);
    named.assertKnown();
    rebuild(this.#core, this.#access, this.#sender, named);
  }

  /**
   * The documents that fit a query best by BM25, the best first, equal ones by their ids. Exact:
   * the scores are those of a full comparison.
   */
  search(query: string, options?: FtSearchOptions): FtHit[] {
    return this.#core.events.search('text', this.name, () => this.#search(query, options));
  }

  #search(query: string, options: FtSearchOptions | undefined): FtHit[] {
    this.#access.assertReadable();
    const search = checkTextSearch(query, options);
    if (search.accepts === undefined && search.snippet === undefined)
      return this.#searchNow(search);
    const still = this.#access.holdStill();
    try {
      const { record } = still;
      if (record?.text === undefined) return [];
      const request = this.#request(record.text, search);
      const run = (topK: number) => {
        return still.read(() => this.#core.searches.runText(record, { ...request, topK }));
      };
      const found = filtered(search, run);
      this.#access.assertReadable(); // whatever the filter did
      return this.#present(found, search, still);
    } finally {
      still.release();
    }
  }

  /** One read, in which nothing of the caller's is called but the analyzer, before. */
  #searchNow(search: CheckedTextSearch): FtHit[] {
    const settings = this.#access.read(() => this.#access.record()?.text);
    if (settings === undefined) return [];
    const request = this.#request(settings, search);
    this.#access.assertReadable(); // whatever the analyzer did
    const found = this.#access.read(() => {
      const record = this.#access.record();
      return record === undefined ? [] : this.#core.searches.runText(record, request);
    });
    return found.map(({ id, score }) => ({ key: idText(id), score }));
  }

  /**
   * The search that `search` makes without filter and snippets, and what each part of the query
   * adds to the score of each hit. For tools that show it. @internal
   */
  explain(query: string, options?: FtSearchOptions): ExplainedSearch | undefined {
    this.#access.assertReadable();
    const search = checkTextSearch(query, options);
    const settings = this.#access.read(() => this.#access.record()?.text);
    if (settings === undefined) return undefined;
    const request = this.#request(settings, search);
    this.#access.assertReadable(); // whatever the analyzer did
    return this.#access.read(() => {
      const record = this.#access.record();
      if (record === undefined) return undefined;
      return { request, ...this.#core.searches.explainText(record, request) };
    });
  }

  /** The same search as `search` on a reader: the calling thread stays free. */
  searchAsync(query: string, options?: FtSearchOptions): Promise<FtHit[]> {
    const run = () => this.#searchElsewhere(query, options);
    return this.#core.events.searchAsync('text', this.name, run);
  }

  async #searchElsewhere(query: string, options: FtSearchOptions | undefined): Promise<FtHit[]> {
    this.#access.assertReadable();
    const search = checkTextSearch(query, options);
    const { searches, transactions } = this.#core;
    const isInBatch = transactions.isActive && this.#access.view === undefined;
    const still = this.#access.holdStill();
    try {
      const { record } = still;
      if (record?.text === undefined) return [];
      const request = this.#request(record.text, search);
      const isElsewhere = !isInBatch && search.accepts === undefined;
      const elsewhere = isElsewhere ? searches.runTextElsewhere(record, request) : undefined;
      const run = (topK: number) =>
        still.read(() => searches.runText(record, { ...request, topK }));
      return this.#present((await elsewhere) ?? filtered(search, run), search, still);
    } finally {
      still.release();
    }
  }

  /** @internal The analyzer of what is stored. @throws `ERR_MNEME_ANALYZER_MISMATCH` */
  #analyzerNow(): NamedAnalyzer {
    const stored = this.#access.read(() => this.#access.record()?.text?.analyzerName);
    return this.#analyzerFor(stored);
  }

  #analyzerFor(stored: string | undefined): NamedAnalyzer {
    const { analyzerName, analyzer } = this.#options;
    const name = analyzerName ?? stored ?? ANALYZER_DEFAULT;
    if (stored !== undefined && stored !== name) throw analyzerMismatch(stored, name);
    return this.#analyzer?.name === name ? this.#analyzer : new NamedAnalyzer(name, analyzer);
  }

  #request(text: TextState, search: CheckedTextSearch): TextRequest {
    const analyzer = this.#analyzerFor(text.analyzerName);
    const analyze = (part: string) => analyzer.terms(part).map(termBytes);
    return {
      parts: queryParts(search.query, analyze, text.positions),
      topK: search.topK,
      k1: search.k1 ?? this.#options.k1 ?? text.k1,
      b: search.b ?? this.#options.b ?? text.b,
      all: search.operator === 'and',
    };
  }

  #present(found: readonly FoundDocument[], search: CheckedTextSearch, still: StillState): FtHit[] {
    const hits = found.map(({ id, score }): FtHit => ({ key: idText(id), score }));
    const { snippet, query } = search;
    if (snippet === undefined) return hits;
    const analyzer = this.#analyzerFor(still.record?.text?.analyzerName);
    const analyze = (text: string) => analyzer.terms(text);
    const matches = termMatcher(query, analyze, still.record?.text?.positions === true);
    return hits.map((hit, index) => {
      const { id } = found[index] as FoundDocument;
      const text = still.read(() => textIn(this.#core, still.record as KeyspaceRecord, id));
      return { ...hit, snippet: snippetOf(text, analyze, matches, snippet) };
    });
  }
}

/** A document's text in the state of a record; only within a read. */
function textIn({ source }: Core, record: KeyspaceRecord, id: Uint8Array): string {
  return textOf(source.of(record), record, id);
}

function idText(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString();
}

/** The best documents that a filter accepts: as many are looked at as that takes. */
function filtered(
  { topK, accepts }: CheckedTextSearch,
  run: (topK: number) => readonly FoundDocument[],
): readonly FoundDocument[] {
  if (accepts === undefined) return run(topK);
  const accepted: FoundDocument[] = [];
  let seen = 0;
  for (let count = topK; ; count *= WIDENING) {
    const found = run(count);
    for (const document of found.slice(seen)) {
      if (accepted.length < topK && accepts(document.id)) accepted.push(document);
    }
    if (accepted.length >= topK || found.length < count) return accepted;
    seen = found.length;
  }
}
