/**
 * Open file description locks (Linux: fcntl(2)) on bytes far behind the end of the database.
 *
 *   byte        locked by
 *   2^61 + T    readers of state T, shared
 *   2^62        the writer
 *   2^62 + 1    who writes next
 *
 *   offset  size  field of a struct flock
 *        0     2  type    0 shared, 1 exclusive, 2 none
 *        2     2  whence  0: from the file's start
 *        8     8  start
 *       16     8  length
 *       24     4  process, of no meaning here
 */
import { ioError, MnemeError } from '../errors.js';
import type { TxnId } from '../ids.js';
import { processWithLock } from '../system.js';
import type { FileLocks, LockPlace } from './file-locks.js';
import type { SystemCalls } from './system-calls.js';

const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const SHARED = 0;
const EXCLUSIVE = 1;
const NONE = 2;
const EAGAIN = 11;
const EACCES = 13;
const EINTR = 4;

const FLOCK_BYTES = 32;
const TWO_POW_32 = 2 ** 32;
/** Transaction ids are below this. */
const TXN_COUNT = 2 ** 53;
/** High words of the first byte of each zone. */
const SNAPSHOTS_HIGH = 2 ** 29;
const WRITER_HIGH = 2 ** 30;

export class OpenFileLocks implements FileLocks {
  readonly fine = true;
  readonly #calls: SystemCalls;
  readonly #descriptor: number;
  readonly #lock = Buffer.alloc(FLOCK_BYTES);

  constructor(calls: SystemCalls, descriptor: number) {
    this.#calls = calls;
    this.#descriptor = descriptor;
  }

  tryLock(place: LockPlace, kind: 'shared' | 'exclusive'): boolean {
    this.#describe(kind === 'shared' ? SHARED : EXCLUSIVE, place);
    return this.#call(F_OFD_SETLK);
  }

  unlock(place: LockPlace): void {
    this.#describe(NONE, place);
    this.#call(F_OFD_SETLK);
  }

  isLockedByOther(place: 'writer' | 'want'): boolean {
    this.#describe(EXCLUSIVE, place);
    this.#call(F_OFD_GETLK);
    return this.#lock.readInt16LE(0) !== NONE;
  }

  nextPinned(from: TxnId): TxnId | undefined {
    // The system names the first lock of whichever opening it looks at first, not the lowest.
    let lowest: TxnId | undefined;
    for (let end = TXN_COUNT; end > from; end = lowest) {
      const found = this.#somePinned(from, end);
      if (found === undefined) break;
      lowest = found;
    }
    return lowest;
  }

  /** The lock itself names no process, but each process's list of its open files has its locks. */
  pidOf(txnId: TxnId): number {
    const start = BigInt(SNAPSHOTS_HIGH) * BigInt(TWO_POW_32) + BigInt(txnId);
    return processWithLock(this.#descriptor, start);
  }

  /** A state that another opening reads, if there is one from `from` to before `end`. */
  #somePinned(from: TxnId, end: TxnId): TxnId | undefined {
    const lock = this.#lock;
    this.#describe(EXCLUSIVE, from, end - from);
    this.#call(F_OFD_GETLK);
    if (lock.readInt16LE(0) === NONE) return undefined;
    const start = (lock.readUInt32LE(12) - SNAPSHOTS_HIGH) * TWO_POW_32 + lock.readUInt32LE(8);
    return Math.max(start, from);
  }

  #describe(type: number, place: LockPlace, length = 1): void {
    const lock = this.#lock;
    const number = typeof place === 'number' ? place : place === 'writer' ? 0 : 1;
    const zone = typeof place === 'number' ? SNAPSHOTS_HIGH : WRITER_HIGH;
    lock.fill(0);
    lock.writeInt16LE(type, 0);
    lock.writeUInt32LE(number % TWO_POW_32, 8);
    lock.writeUInt32LE(zone + Math.floor(number / TWO_POW_32), 12);
    lock.writeUInt32LE(length % TWO_POW_32, 16);
    lock.writeUInt32LE(Math.floor(length / TWO_POW_32), 20);
  }

  /** False when another has the lock. */
  #call(command: number): boolean {
    for (;;) {
      if (this.#calls.fcntl(this.#descriptor, command, this.#lock) !== -1) return true;
      const error = this.#calls.errorNumber();
      if (error === EAGAIN || error === EACCES) return false;
      if (error === EINTR) continue;
      throw ioError(new MnemeError('ERR_MNEME_IO', { operation: 'lock the file', errno: error }));
    }
  }
}
