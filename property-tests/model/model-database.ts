/**
 * A database of the model: the state is a map, a transaction is a copy of it put back on failure.
 */
import type { KeyspaceOptions } from 'mneme';
import { ModelError } from './model-error.js';
import { type ModelHost, ModelKeyspace } from './model-keyspace.js';
import { copyState, type DatabaseState, isVisible, type KeyspaceState } from './stored.js';
import type { SubjectDatabase, SubjectKeyspace, SubjectTransaction } from './subject.js';
import { Between, EitherBoolean, Names } from './tolerance.js';

export class ModelDatabase implements SubjectDatabase {
  readonly #clock: () => number;
  #state: DatabaseState;
  #batchDepth = 0;
  #isOpen = true;

  /** Starts from what another model held: that is what reopening a file does. */
  constructor(clock: () => number, previous?: ModelDatabase) {
    this.#clock = clock;
    this.#state = previous === undefined ? new Map() : copyState(previous.#state);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  keyspace(name: string, options: KeyspaceOptions = {}): SubjectKeyspace {
    return this.#handle(name, options, () => false);
  }

  keyspaces(): unknown {
    this.#check();
    const certain = [...this.#state].filter(([, { isCertain }]) => isCertain);
    const possible = [...this.#state].filter(([, { isCertain }]) => !isCertain);
    const name = ([each]: readonly [string, KeyspaceState]): string => each;
    return new Names(certain.map(name), possible.map(name));
  }

  dropKeyspace(name: string): unknown {
    this.#check();
    const keyspace = this.#state.get(name);
    this.#state.delete(name);
    if (keyspace === undefined) return false;
    return keyspace.isCertain ? true : new EitherBoolean();
  }

  batch(fn: (transaction: SubjectTransaction) => unknown): unknown {
    this.#check();
    const before = copyState(this.#state);
    let hasEnded = false;
    const transaction = this.#transaction(() => hasEnded);
    this.#batchDepth += 1;
    try {
      const result = fn(transaction);
      if (isThenable(result)) throw new ModelError('ERR_MNEME_ASYNC_BATCH');
      return result;
    } catch (error) {
      this.#state = before;
      throw error;
    } finally {
      this.#batchDepth -= 1;
      hasEnded = true;
    }
  }

  /** Commits before this one may have removed any of the expired entries already. */
  purgeExpired(): unknown {
    this.#check();
    let expired = 0;
    for (const { entries } of this.#state.values()) {
      for (const [key, entry] of entries) {
        if (isVisible(entry, this.#clock())) continue;
        entries.delete(key);
        expired += 1;
      }
    }
    return new Between(0, expired);
  }

  sync(): void {
    this.#check();
    if (this.#batchDepth > 0) throw new ModelError('ERR_MNEME_BATCH_ACTIVE');
  }

  close(): void {
    if (this.#batchDepth > 0) throw new ModelError('ERR_MNEME_BATCH_ACTIVE');
    this.#isOpen = false;
  }

  #check(): void {
    if (!this.#isOpen) throw new ModelError('ERR_MNEME_CLOSED');
  }

  #transaction(hasEnded: () => boolean): SubjectTransaction {
    const check = (): void => {
      if (hasEnded()) throw new ModelError('ERR_MNEME_BATCH_CLOSED');
    };
    return {
      keyspace: (name, options = {}) => {
        check();
        return this.#handle(name, options, hasEnded);
      },
      dropKeyspace: (name) => {
        check();
        return this.dropKeyspace(name);
      },
    };
  }

  #handle(name: string, options: KeyspaceOptions, hasEnded: () => boolean): SubjectKeyspace {
    this.#check();
    const keys = options.keys ?? 'text';
    const integers = options.integers ?? 'auto';
    this.#checkKeys(name, keys);
    return new ModelKeyspace(this.#host(), { name, keys, integers, hasEnded });
  }

  #checkKeys(name: string, keys: 'text' | 'bytes'): void {
    const stored = this.#state.get(name);
    if (stored?.isCertain === true && stored.keys !== keys) {
      throw new ModelError('ERR_MNEME_TYPE_MISMATCH');
    }
  }

  #host(): ModelHost {
    return {
      now: () => this.#clock(),
      isOpen: () => this.#isOpen,
      find: (name) => this.#state.get(name),
      obtain: (name, keys, isCertain) => this.#obtain(name, keys, isCertain),
      batch: (fn) => this.batch(() => fn()),
    };
  }

  #obtain(name: string, keys: 'text' | 'bytes', isCertain: boolean): KeyspaceState {
    let keyspace = this.#state.get(name);
    if (keyspace === undefined) {
      keyspace = { keys, isCertain, entries: new Map() };
      this.#state.set(name, keyspace);
    }
    keyspace.isCertain ||= isCertain;
    return keyspace;
  }
}

function isThenable(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
