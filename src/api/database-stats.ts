/**
 * What an open database says of itself: what its file is, and how its pages are used.
 */
import { usedCacheBytes } from '../shared/memory/page-cache.js';
import { cacheCounters } from '../shared/memory/thread-slots.js';
import { FORMAT_VERSION } from '../shared/pages/meta-page.js';
import type { Core } from './core.js';
import { listKeys } from './encryption-keys.js';

/** What a file is. */
export interface DatabaseInfo {
  /** Of the file's layout. */
  formatVersion: number;
  /** In bytes. */
  pageSize: number;
  /** Of the last commit; each commit adds one. */
  txnId: bigint;
  /** True when there are keys that open encrypted keyspaces. */
  encrypted: boolean;
  /** How many such keys there are. */
  keySlots: number;
  createdAt: Date;
}

/** How a file's pages are used. */
export interface DatabaseStats {
  /** All pages of the file: live, retired and reclaimable ones. */
  pageCount: number;
  /** Freed, but an older state that is still in use may see them. */
  retiredPages: number;
  /** What the last commit is made of. */
  livePages: number;
  /** Free to be taken. */
  reclaimablePages: number;
  /** pageCount / livePages; 1 is a file without waste. */
  bloatRatio: number;
  /** How many keyspaces there are. */
  keyspaces: number;
  /** In bytes. */
  fileSize: number;
  /** Of the page cache: its size in bytes, and reads of pages that it could serve or not. */
  cache: { bytes: number; hits: number; misses: number };
  /**
   * Who reads the oldest state that is in use: iterators and snapshots of any thread or process.
   * `pid` is 0 where the system does not tell; `pinnedPages` are what is kept, at most, because of
   * it.
   */
  oldestReader?: { pid: number; txnId: bigint; pinnedPages: number };
}

export function infoOf(core: Core): DatabaseInfo {
  core.assertOpen();
  const { meta } = core;
  const keySlots = listKeys(core).length;
  return {
    formatVersion: FORMAT_VERSION,
    pageSize: meta.pageSize,
    txnId: BigInt(core.state().txnId),
    encrypted: keySlots > 0,
    keySlots,
    createdAt: new Date(meta.createdAt),
  };
}

/** `keyspaces` as the caller counted them: in a batch, those of the batch. */
export function statsOf(core: Core, keyspaces: number): DatabaseStats {
  const { pageCount, freePages, waitingPages } = core.state();
  const livePages = pageCount - freePages - waitingPages;
  const oldest = core.oldestReader();
  return {
    pageCount,
    retiredPages: waitingPages,
    livePages,
    reclaimablePages: freePages,
    bloatRatio: pageCount / livePages,
    keyspaces,
    fileSize: core.file.size(),
    cache: { bytes: usedCacheBytes(core.memory), ...cacheCounters(core.memory) },
    ...(oldest === undefined ? {} : { oldestReader: { ...oldest, pinnedPages: waitingPages } }),
  };
}
