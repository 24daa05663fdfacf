/**
 * The locks of one handle: that it reads a state, and, where a lock is on the whole file, that it
 * writes. What locks is loaded when it is first needed, since that takes longer than opening a
 * database.
 */
import { MnemeError } from '../shared/errors.js';
import type { TxnId } from '../shared/ids.js';
import { type FileLocks, NO_LOCKS } from '../shared/pages/file-locks.js';
import { lockHolder } from '../shared/pages/lock-holder.js';
import type { Storage, StorageFile } from '../shared/pages/storage.js';
import { monotonicMs } from '../shared/system.js';

const POLL_MS = 1;

export class ReaderLocks {
  readonly #load: () => FileLocks | undefined;
  readonly #file: StorageFile;
  readonly #timeoutMs: number;
  #locks: FileLocks | undefined;
  /** How many pins each state has. */
  readonly #pins = new Map<TxnId, number>();

  /** @param timeoutMs - How long to wait for a lock on the whole file. */
  constructor(storage: Storage, file: StorageFile, timeoutMs: number) {
    this.#load = () => storage.locksOf(file);
    this.#file = file;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws {MnemeError} `ERR_MNEME_IO` where nothing can lock a file. */
  #loaded(): FileLocks {
    this.#locks ??= this.#load();
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
    else if (this.#pins.delete(txnId)) this.#loaded().unlock(txnId);
  }

  /** Who else reads the oldest state; undefined also where locks do not tell. */
  oldestPin(): { txnId: TxnId; pid: number } | undefined {
    this.#locks ??= this.#load();
    const txnId = this.#locks?.nextPinned(0);
    if (txnId === undefined) return undefined;
    return { txnId, pid: this.#locks?.pidOf(txnId) ?? 0 };
  }

  /** Before the writer starts. True when the writer's thread is to lock by itself. */
  prepareToWrite(): boolean {
    if (this.#loaded().fine) return true;
    this.#wait('writer', 'exclusive');
    return false;
  }

  #wait(place: TxnId | 'writer', kind: 'shared' | 'exclusive'): void {
    const locks = this.#loaded();
    const deadline = monotonicMs() + this.#timeoutMs;
    while (!locks.tryLock(place, kind)) {
      if (monotonicMs() >= deadline) {
        const details = locks.isLockedByOther('writer') ? lockHolder(this.#file) : {};
        throw new MnemeError('ERR_MNEME_LOCKED', details);
      }
      Atomics.wait(sleeper, 0, 0, POLL_MS);
    }
  }

  /** The file is closed, and its locks with it. */
  close(): void {
    this.#locks = NO_LOCKS;
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));
