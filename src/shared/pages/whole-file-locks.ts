/**
 * Locks where fcntl cannot be reached: flock(2) through the optional package fs-ext. One lock on
 * the whole file for as long as a handle has it open: exclusive for who writes, shared for who
 * reads, nothing finer.
 *
 * fs-ext crashes when several threads load it, so only the main one does.
 */
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import type { FileLocks, LockPlace } from './file-locks.js';

type FlockSync = (descriptor: number, flags: 'shnb' | 'exnb' | 'un') => void;

/** Undefined where fs-ext is not installed, or this is not the main thread. */
export function loadFlock(): FlockSync | undefined {
  if (!isMainThread || process.env['MNEME_WITHOUT_FS_EXT'] === '1') return undefined;
  try {
    return (createRequire(import.meta.url)('fs-ext') as { flockSync: FlockSync }).flockSync;
  } catch {
    return undefined; // optional: whoever asked says that there are no locks
  }
}

export class WholeFileLocks implements FileLocks {
  readonly fine = false;
  readonly #flock: FlockSync;
  readonly #descriptor: number;
  #held: 'none' | 'shared' | 'exclusive' = 'none';

  constructor(flock: FlockSync, descriptor: number) {
    this.#flock = flock;
    this.#descriptor = descriptor;
  }

  tryLock(_place: LockPlace, kind: 'shared' | 'exclusive'): boolean {
    if (this.#held === kind || this.#held === 'exclusive') return true;
    if (this.#try(kind)) return true;
    // Asking for more has given up what was held.
    if (this.#held === 'shared' && !this.#try('shared')) this.#held = 'none';
    return false;
  }

  #try(kind: 'shared' | 'exclusive'): boolean {
    try {
      this.#flock(this.#descriptor, kind === 'shared' ? 'shnb' : 'exnb');
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EAGAIN' || code === 'EWOULDBLOCK') return false;
      throw error;
    }
    this.#held = kind;
    return true;
  }

  unlock(): void {
    // The whole file stays locked: another reader of this handle may still need it.
  }

  /** True when another opening writes; there is no telling of who wants to. */
  isLockedByOther(place: 'writer' | 'want'): boolean {
    if (place === 'want' || this.#held !== 'none') return false;
    if (!this.#try('shared')) return true;
    this.#flock(this.#descriptor, 'un');
    this.#held = 'none';
    return false;
  }

  nextPinned(): undefined {
    return undefined;
  }

  pidOf(): number {
    return 0;
  }
}
