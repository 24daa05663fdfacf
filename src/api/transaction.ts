/**
 * Batches: the scopes that are open, and what begins and ends them.
 *
 * Writes inside a batch are gathered in the channel's segment and go together, before the next read
 * at the latest. A nested batch is a savepoint. Whatever was handed out in a scope ends with it.
 */
import { MnemeError } from '../shared/errors.js';
import * as messages from '../shared/memory/messages.js';
import { BatchSets } from './batch-members.js';
import type { Events } from './events.js';
import type { OperationFields, WriterConnection } from './writer-connection.js';

/** Turns an async callback into a compile error. */
export type Sync<R> = R extends PromiseLike<unknown> ? never : R;

/** The database that batches run on. */
export interface BatchHost {
  readonly writer: WriterConnection;
  readonly events: Events;
  assertWritable(): void;
  now(): number;
}

export class Transactions {
  readonly #core: BatchHost;
  readonly #scopes: number[] = [];
  #lastScope = 0;
  /** Rises with every write of the batch; what was read of its roots before is out of date. */
  changeCount = 0;
  /** What the batch did to sorted sets. */
  readonly sets = new BatchSets();

  constructor(core: BatchHost) {
    this.#core = core;
  }

  get isActive(): boolean {
    return this.#scopes.length > 0;
  }

  /** The innermost open scope, 0 when no batch runs. */
  get scope(): number {
    return this.#scopes.at(-1) ?? 0;
  }

  isOpen(scope: number): boolean {
    return this.#scopes.includes(scope);
  }

  /** Runs `fn` in a transaction, or in a savepoint of the one that runs. */
  run<R>(fn: () => R): R {
    this.#core.assertWritable();
    const nested = this.isActive;
    this.#add(nested ? messages.SAVEPOINT : messages.BEGIN);
    // The outermost batch waits for its turn before its callback runs.
    if (!nested) {
      this.#core.writer.send();
      this.sets.begin();
    }
    this.#scopes.push(++this.#lastScope);
    this.changeCount++; // a savepoint seals pages: what was read of their roots is out of date
    let result: R;
    try {
      result = fn();
      assertNoPromise(result);
    } catch (error) {
      this.#leave();
      this.#undo(nested);
      throw error;
    }
    this.#leave();
    if (nested) this.#add(messages.RELEASE);
    else this.#commit();
    return result;
  }

  #leave(): void {
    this.#scopes.pop();
    this.changeCount++;
  }

  #commit(): void {
    const { writer, events } = this.#core;
    try {
      this.#add(messages.COMMIT);
      writer.send();
      if (events.wantsCommits) writer.tellCommit(true);
    } catch (error) {
      this.#undo(false);
      throw error;
    }
  }

  #undo(nested: boolean): void {
    if (nested) {
      this.sets.lose();
      this.#add(messages.ROLL_BACK);
      return;
    }
    const { writer } = this.#core;
    writer.discard();
    try {
      writer.drain();
      this.#add(messages.ABORT);
      writer.send();
    } catch (error) {
      // A writer that is gone has undone everything; the error of the callback is what counts.
      if (!(error instanceof MnemeError) || error.code !== 'ERR_MNEME_WRITER_DIED') throw error;
    }
  }

  /** Adds an operation without key and value to the batch's segment. */
  #add(code: number): void {
    const { writer } = this.#core;
    writer.continueBatch(this.#core.now());
    writer.reserve(0);
    writer.add({ ...NO_FIELDS, code }, 0, 0);
  }
}

const NO_FIELDS: OperationFields = { code: 0, flags: 0, handle: 0, number: 0 };

function assertNoPromise(result: unknown): void {
  if (typeof result !== 'object' && typeof result !== 'function') return;
  const then = result === null ? undefined : (result as { then?: unknown }).then;
  if (typeof then !== 'function') return;
  // The promise's own failure, mostly that the batch has ended, is told by the error below.
  Promise.resolve(result as PromiseLike<unknown>).catch(() => undefined);
  throw new MnemeError('ERR_MNEME_ASYNC_BATCH');
}
