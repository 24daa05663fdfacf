/**
 * Random histories of transactions, and what the database must hold after each: every way to change
 * keyspaces, with deadlines, values in leaves and in extents, vectors, documents, ranges and drops.
 */
import { contentLine, type EngineRun, type SyncMode, TEXTS, vectorLine } from './engine-run.js';

const KEYSPACES = ['a', 'b'] as const;
type Keyspace = (typeof KEYSPACES)[number];
const KEY_COUNT = 24;
/** Long, so that few entries make a tree of several leaves. */
const KEY_BYTES = 150;
const WRITE_BEHIND_EVERY = 2;
const SYNC_EVERY = 3;
/** How many histories have vectors, and which share of their changes those are. */
const VECTORS_SHARE = 0.15;
const VECTOR_CHANGES = 0.4;
/** The same of documents. */
const TEXTS_SHARE = 0.15;
const TEXT_CHANGES = 0.5;
const WORD_COUNT = 30;
/** Several vectors in a part of a leaf, and one in several. */
const DIMENSIONS: Readonly<Record<Keyspace, number>> = { a: 5, b: 300 };

interface Entry {
  readonly value: string;
  readonly deadline: number;
}

/** What a database holds, by keyspace and key. */
class Model {
  readonly #entries: Record<Keyspace, Map<string, Entry>> = { a: new Map(), b: new Map() };
  /** The lines of vectors. */
  readonly #vectors: Record<Keyspace, Map<string, string>> = { a: new Map(), b: new Map() };

  /** Documents by their ids. */
  texts = new Map<string, string>();

  of(keyspace: Keyspace): Map<string, Entry> {
    return this.#entries[keyspace];
  }

  vectorsOf(keyspace: Keyspace): Map<string, string> {
    return this.#vectors[keyspace];
  }

  delete(keyspace: Keyspace, key: string): void {
    this.of(keyspace).delete(key);
    this.vectorsOf(keyspace).delete(key);
  }

  copy(): Model {
    const model = new Model();
    for (const keyspace of KEYSPACES) {
      model.#entries[keyspace] = new Map(this.of(keyspace));
      model.#vectors[keyspace] = new Map(this.vectorsOf(keyspace));
    }
    model.texts = new Map(this.texts);
    return model;
  }

  content(): string {
    const others = KEYSPACES.flatMap((keyspace) => {
      const keys = [...this.of(keyspace).keys()].sort();
      const values = keys.map((key) => {
        const { value, deadline } = this.of(keyspace).get(key) as Entry;
        return contentLine(keyspace, key, deadline, value);
      });
      return [...values, ...[...this.vectorsOf(keyspace).values()].sort()];
    });
    const texts = [...this.texts].map(([id, text]) => contentLine(TEXTS, id, 0, text));
    return [...others, ...texts.sort()].join('\n');
  }
}

export function keyAt(index: number): string {
  return `key ${String(index).padStart(3, '0')}`.padEnd(KEY_BYTES, '.');
}

/** A history as it is performed: the same changes to an engine and to the model. */
export class History {
  #run: EngineRun;
  readonly #random: () => number;
  readonly #hasVectors: boolean;
  readonly #hasTexts: boolean;
  #model = new Model();
  #committed = new Model();
  /** What the transaction that is being committed makes of it. */
  inFlight: string | undefined;
  /** Contents by state, the one it starts from first. */
  readonly states: string[];
  #changes = 0;
  /** What is in keyspaces that the history leaves alone; their names come last. */
  readonly #rest: string;

  constructor(run: EngineRun, random: () => number) {
    this.#run = run;
    this.#random = random;
    this.#hasVectors = random() < VECTORS_SHARE;
    this.#hasTexts = random() < TEXTS_SHARE;
    this.#rest = run.content();
    this.states = [this.#rest];
  }

  #content(): string {
    const content = this.#model.content();
    if (content === '' || this.#rest === '') return content + this.#rest;
    return `${content}\n${this.#rest}`;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** One transaction, committed and acknowledged. */
  transaction(changesMax: number): void {
    const { file } = this.#run;
    this.#run.begin();
    for (let left = 1 + this.#below(changesMax); left > 0; left--) this.#change();
    const content = this.#content();
    this.inFlight = content;
    this.#run.commit();
    this.inFlight = undefined;
    this.states.push(content);
    this.#committed = this.#model.copy();
    file.acknowledge(this.states.length - 1);
  }

  /** Goes on with another opening of the same file. */
  continueWith(run: EngineRun): void {
    this.#run = run;
  }

  /** The transaction that has failed is forgotten. */
  startOver(): void {
    this.#model = this.#committed.copy();
    this.inFlight = undefined;
  }

  #change(): void {
    if (this.#hasTexts && this.#random() < TEXT_CHANGES) {
      this.#changeText();
      return;
    }
    const keyspace = this.#random() < 0.7 ? 'a' : 'b';
    if (this.#hasVectors && this.#random() < VECTOR_CHANGES) {
      this.#changeVector(keyspace);
      return;
    }
    const choice = this.#random();
    if (choice < 0.68) this.#set(keyspace);
    else if (choice < 0.9) this.#delete(keyspace);
    else if (choice < 0.96) this.#deleteRange(keyspace);
    else this.#drop(keyspace);
  }

  #set(keyspace: Keyspace): void {
    const key = keyAt(this.#below(KEY_COUNT));
    const length = this.#random() < 0.12 ? 900 + this.#below(8000) : this.#below(400);
    const value = `${this.#changes++}:`.padEnd(length, 'x');
    const deadline = this.#random() < 0.3 ? 1 + this.#below(50) : 0;
    this.#run.set(key, value, deadline, keyspace);
    this.#model.of(keyspace).set(key, { value, deadline });
  }

  #changeText(): void {
    const id = keyAt(this.#below(KEY_COUNT));
    const choice = this.#random();
    if (choice < 0.03) this.#run.pauseIndexing();
    else if (choice < 0.25) this.#run.rebuildSome();
    else if (choice < 0.3) {
      this.#run.drop(TEXTS);
      this.#model.texts.clear();
    } else if (choice < 0.5) {
      this.#run.deleteText(id);
      this.#model.texts.delete(id);
    } else {
      const length = this.#random() < 0.1 ? 400 : 1 + this.#below(20);
      const words = Array.from({ length }, () => `word${this.#below(WORD_COUNT)}`);
      const text = `${this.#changes++} ${words.join(' ')}`;
      this.#run.putText(id, text);
      this.#model.texts.set(id, text);
    }
  }

  #changeVector(keyspace: Keyspace): void {
    const key = keyAt(this.#below(KEY_COUNT));
    if (this.#random() < 0.25) {
      this.#run.deleteVector(key, keyspace);
      this.#model.vectorsOf(keyspace).delete(key);
      return;
    }
    const seed = this.#changes++;
    const vector = Float32Array.from({ length: DIMENSIONS[keyspace] }, (_, at) => seed - at / 3);
    this.#run.setVector(key, vector, keyspace);
    this.#model.vectorsOf(keyspace).set(key, vectorLine(keyspace, key, vector));
  }

  #delete(keyspace: Keyspace): void {
    const key = keyAt(this.#below(KEY_COUNT));
    this.#run.delete(key, keyspace);
    this.#model.delete(keyspace, key);
  }

  #deleteRange(keyspace: Keyspace): void {
    const first = this.#below(KEY_COUNT);
    const end = first + this.#below(8);
    this.#run.deleteRange(keyAt(first), keyAt(end), keyspace);
    for (let index = first; index < end; index++) this.#model.delete(keyspace, keyAt(index));
  }

  #drop(keyspace: Keyspace): void {
    this.#run.drop(keyspace);
    this.#model.of(keyspace).clear();
    this.#model.vectorsOf(keyspace).clear();
  }

  /** With `sync: 'none'`, what the writer's clock would do, in the middle too. */
  rest(sync: SyncMode): void {
    if (sync === 'full') return;
    const { engine, file } = this.#run;
    const state = this.states.length - 1;
    if (state % WRITE_BEHIND_EVERY === 1) engine.writeBehind();
    if (state % SYNC_EVERY !== 0) return;
    engine.sync();
    file.promise(state);
  }
}

/** How many acknowledged states a kill may lose with `sync: 'none'`. */
export const WRITE_BEHIND_LAG = WRITE_BEHIND_EVERY + 1;

/** Performs a whole history; returns its states. */
export function performHistory(
  run: EngineRun,
  sync: SyncMode,
  random: () => number,
  transactionCount: number,
): readonly string[] {
  const history = new History(run, random);
  for (let index = 0; index < transactionCount; index++) {
    history.transaction(random() < 0.2 ? 20 : 6);
    history.rest(sync);
  }
  return history.states;
}
