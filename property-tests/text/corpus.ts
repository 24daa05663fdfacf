/**
 * Collections of documents to be searched, chosen by chance: how many, how long, of which words, in
 * which ways they are stored, and what is changed once they are there.
 */
import type { Database, FtKeyspace, FtOptions } from 'mneme';
import { NaiveText } from './naive-text.js';
import { type Chooser, splitAtSpaces, standardTerms, textOf, type Vocabulary } from './words.js';

const COUNTS = [0, 1, 3, 40, 127, 128, 129, 300, 700, 1100, 1500, 3000, 9000] as const;
const WORD_COUNTS = [1, 2, 5, 30, 200, 2000] as const;
/** Words in all documents together, at most. */
const WORDS_MAX = 60_000;
/** Frequencies and lengths that no longer fit one byte, and two. */
const GIANTS = [300, 70_000] as const;
/** Times at which others may look or write, while documents are changed. */
const LOOKS = 5;

export interface CorpusSpec {
  readonly count: number;
  readonly vocabulary: Vocabulary;
  /** Words of a document: one of these. */
  readonly lengths: readonly number[];
  readonly pageSize: number;
  readonly analyzer: 'standard' | 'whitespace' | 'split@1';
  readonly positions: boolean;
  readonly k1: number | undefined;
  readonly b: number | undefined;
  readonly built: 'puts' | 'batch' | 'putMany' | 'paused' | 'mixed';
  /** Of all documents, the share that is removed after all are there, and that is put again. */
  readonly removed: number;
  readonly changed: number;
  /** Words of one document that has mostly the same one; 0 for none. */
  readonly giant: number;
}

export function corpusSpec(chooser: Chooser): CorpusSpec {
  const vocabulary = { size: chooser.one(WORD_COUNTS), skew: chooser.one([0, 0.5, 1, 2]) };
  const lengths = chooser.one([[8], [8, 8, 9], [0, 1, 2, 3], [5, 10, 40], [1]]);
  const longest = Math.max(1, ...lengths);
  return {
    count: Math.min(chooser.one(COUNTS), Math.ceil(WORDS_MAX / longest)),
    vocabulary,
    lengths,
    pageSize: chooser.one([4096, 4096, 16384]),
    analyzer: chooser.one(['standard', 'standard', 'whitespace', 'split@1']),
    positions: chooser.chance(0.4),
    k1: chooser.one([undefined, 0, 0.9, 100]),
    b: chooser.one([undefined, 0, 0.4, 1]),
    built: chooser.one(['puts', 'batch', 'batch', 'putMany', 'putMany', 'paused', 'mixed']),
    removed: chooser.one([0, 0, 0.3, 0.9, 1]),
    changed: chooser.one([0, 0.1, 0.6]),
    giant: chooser.chance(0.2) ? chooser.one(GIANTS) : 0,
  };
}

function whitespaceTerms(text: string): string[] {
  return text.split(/\s+/u).filter((term) => term !== '');
}

const ANALYZERS = {
  standard: standardTerms,
  whitespace: whitespaceTerms,
  'split@1': splitAtSpaces,
} as const;

/** What a handle of such a collection is opened with, and its model. */
export function openedWith(spec: CorpusSpec): { options: FtOptions; model: NaiveText } {
  const { analyzer: analyzerName, positions, k1, b } = spec;
  const analyze = ANALYZERS[analyzerName];
  const options: FtOptions = { analyzerName, positions };
  if (analyzerName === 'split@1') options.analyzer = analyze;
  if (k1 !== undefined) options.k1 = k1;
  if (b !== undefined) options.b = b;
  return { options, model: new NaiveText({ analyze, positions, k1: k1 ?? 1.2, b: b ?? 0.75 }) };
}

export function idAt(index: number): string {
  return `${'abc'.charAt(index % 3)}${String(index).padStart(5, '0')}`;
}

type Document = readonly [id: string, text: string];

/** Stores, changes and removes documents, in a database and its model alike. */
export class CorpusWriter {
  readonly #database: Database;
  readonly #real: FtKeyspace;
  readonly #model: NaiveText;
  readonly #spec: CorpusSpec;
  readonly #chooser: Chooser;

  constructor(
    database: Database,
    { real, model }: { readonly real: FtKeyspace; readonly model: NaiveText },
    spec: CorpusSpec,
    chooser: Chooser,
  ) {
    this.#database = database;
    this.#real = real;
    this.#model = model;
    this.#spec = spec;
    this.#chooser = chooser;
  }

  #text(): string {
    const { vocabulary, lengths } = this.#spec;
    return textOf(this.#chooser, vocabulary, this.#chooser.one(lengths));
  }

  #documents(): Document[] {
    const { count, giant, vocabulary } = this.#spec;
    const indexes = this.#chooser.shuffled(Array.from({ length: count }, (_, index) => index));
    const documents = indexes.map((index): Document => [idAt(index), this.#text()]);
    const first = documents[0];
    if (giant === 0 || first === undefined) return documents;
    const text = textOf(this.#chooser, { ...vocabulary, size: 1 }, giant);
    return [...documents.slice(1), [first[0], `${text} ${first[1]}`]];
  }

  /** Stores all documents in the way that the specification says. */
  fill(): void {
    const documents = this.#documents();
    const { built } = this.#spec;
    if (built === 'paused') this.#real.pauseIndexing();
    if (built === 'mixed') {
      for (const at of [0, 1, 2, 3, 4]) {
        const part = documents.filter((_, index) => index % 5 === at);
        this.#store(part, this.#chooser.one(['puts', 'batch', 'putMany']));
      }
    } else this.#store(documents, built === 'paused' ? 'batch' : built);
    if (built === 'paused') this.#real.rebuildIndex();
    this.#model.putMany(documents);
  }

  #store(documents: readonly Document[], how: 'puts' | 'batch' | 'putMany'): void {
    if (how === 'putMany') this.#real.putMany(documents);
    else if (how === 'puts') for (const [id, text] of documents) this.#real.put(id, text);
    else {
      this.#database.batch(() => {
        for (const [id, text] of documents) this.#real.put(id, text);
      });
    }
  }

  /**
   * Removes some and puts some again, a few at a time or all at once; calls `look` at times, within
   * the batches too.
   */
  change(look: () => void): void {
    const { count, removed, changed } = this.#spec;
    const indexes = this.#chooser.shuffled(Array.from({ length: count }, (_, index) => index));
    const toRemove = indexes.slice(0, Math.floor(removed * count));
    const actions = toRemove.map((index) => () => this.#remove(idAt(index)));
    for (let left = Math.floor(changed * count); left > 0; left--) {
      const id = idAt(this.#chooser.below(count + 2));
      actions.push(() => this.#put(id));
    }
    const shuffled = this.#chooser.shuffled(actions);
    const together = this.#chooser.one([1, 20, shuffled.length]);
    let nextLook = 0;
    for (let at = 0; at < shuffled.length; at += together) {
      const isLook = at >= nextLook;
      const isInside = this.#chooser.chance(0.5);
      this.#database.batch(() => {
        shuffled.slice(at, at + together).forEach((action, index) => {
          action();
          if (isLook && isInside && index < LOOKS) look();
        });
        if (isLook && isInside) look();
      });
      if (!isLook) continue;
      look();
      nextLook += shuffled.length / LOOKS;
    }
  }

  /** Removes and puts a few, one by one, of other lengths than before. */
  #changeSome(): void {
    for (let left = 12; left > 0; left--) {
      const id = idAt(this.#chooser.below(this.#spec.count + 2));
      const text = textOf(this.#chooser, this.#spec.vocabulary, this.#chooser.one([4, 20]));
      if (this.#chooser.chance(0.3)) this.#remove(id);
      else this.#put(id, text);
    }
  }

  /** Indexes all anew, while a few are changed. */
  rebuild(): void {
    let calls = 0;
    this.#real.rebuildIndex({
      onProgress: () => {
        if (calls++ < LOOKS) this.#changeSome();
      },
    });
    this.#model.rebuildIndex();
  }

  pause(): void {
    this.#real.pauseIndexing();
    this.#model.pauseIndexing();
  }

  #put(id: string, text = this.#text()): void {
    this.#real.put(id, text);
    this.#model.put(id, text);
  }

  #remove(id: string): void {
    if (this.#real.del(id) !== this.#model.del(id)) throw new Error(`${id} was lost`);
  }
}
