/**
 * Locks that processes, threads and handles agree by: who writes, who wants to, and which committed
 * states somebody reads.
 *
 * They belong to one opening of the file, and the system takes them back when that is closed or its
 * process dies; so nothing has to be closed here, there is no side file and nothing stale.
 */
import type { TxnId } from '../ids.js';

/** 'writer': who holds it may write. 'want': who holds it is next. A number: a state being read. */
export type LockPlace = 'writer' | 'want' | TxnId;

export interface FileLocks {
  /** True when locks are told apart by place; else a handle locks the whole file for its life. */
  readonly fine: boolean;
  /** Takes a lock, or does not wait and returns false. Others may share a shared one. */
  tryLock(place: LockPlace, kind: 'shared' | 'exclusive'): boolean;
  unlock(place: LockPlace): void;
  /** True when another opening of the file holds the place. */
  isLockedByOther(place: 'writer' | 'want'): boolean;
  /** The lowest state from `from` on that another opening of the file reads. */
  nextPinned(from: TxnId): TxnId | undefined;
  /** A process that reads a state; 0 where the system does not tell. */
  pidOf(txnId: TxnId): number;
}

/** No locks: the caller's word that nobody else has the file. */
export const NO_LOCKS: FileLocks = {
  fine: true,
  tryLock: () => true,
  unlock: () => undefined,
  isLockedByOther: () => false,
  nextPinned: () => undefined,
  pidOf: () => 0,
};

/** All states that others read, rising. */
export function pinnedByOthers(locks: FileLocks): TxnId[] {
  const pinned: TxnId[] = [];
  for (;;) {
    const next = locks.nextPinned((pinned.at(-1) ?? -1) + 1);
    if (next === undefined) return pinned;
    pinned.push(next);
  }
}
