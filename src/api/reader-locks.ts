/**
 * The locks of one handle: that it reads a state, and, where a lock is on the whole file, that it
 * writes. They are opened when they are first needed, since loading what locks takes longer than
 * opening a database.
 */
import { MnemeError } from '../shared/errors.js';
import type { TxnId } from '../shared/ids.js';
import { type FileLocks, NO_LOCKS } from '../shared/pages/file-locks.js';
import type { Storage } from '../shared/pages/storage.js';
import { monotonicMs } from '../shared/system.js';

const POLL_MS = 1;

export class ReaderLocks {
  readonly #open: () => FileLocks | undefined;
  readonly #timeoutMs: number;
  #locks: FileLocks | undefined;
  /** How many pins each state has. */
  readonly #pins = new Map<TxnId, number>();

  /** @param timeoutMs - How long to wait for a lock on the whole file. */
  constructor(storage: Storage, path: string, isReadonly: boolean, timeoutMs: number) {
    this.#open = () => storage.openLocks(path, isReadonly ? 'read' : 'write');
    this.#timeoutMs = timeoutMs;
  }

  /** @throws {MnemeError} `ERR_MNEME_IO` where nothing can lock a file. */
  #opened(): FileLocks {
    this.#locks ??= this.#open();
    if (this.#locks !== undefined) return this.#locks;
    const reason = 'neither koffi nor fs-ext can be loaded here; open with lock: false';
    throw new MnemeError('ERR_MNEME_IO', { reason });
  }

  /** Tells all writers that a state is being read. */
  pin(txnId: TxnId): void {
    const count = this.#pins.get(txnId) ?? 0;
    if (count === 0) this.#wait(txnId, 'shared');
    this.#pins.set(txnId, count + 1);
  }

  unpin(txnId: TxnId): void {
    const count = this.#pins.get(txnId) ?? 0;
    if (count > 1) this.#pins.set(txnId, count - 1);
    else if (this.#pins.delete(txnId)) this.#opened().unlock(txnId);
  }

  /** Before the writer starts. True when the writer's thread is to lock by itself. */
  prepareToWrite(): boolean {
    if (this.#opened().fine) return true;
    this.#wait('writer', 'exclusive');
    return false;
  }

  #wait(place: TxnId | 'writer', kind: 'shared' | 'exclusive'): void {
    const locks = this.#opened();
    const deadline = monotonicMs() + this.#timeoutMs;
    while (!locks.tryLock(place, kind)) {
      if (monotonicMs() >= deadline) throw new MnemeError('ERR_MNEME_LOCKED');
      Atomics.wait(sleeper, 0, 0, POLL_MS);
    }
  }

  close(): void {
    this.#locks?.close();
    this.#locks = NO_LOCKS;
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));
