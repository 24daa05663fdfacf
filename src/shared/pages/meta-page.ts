/**
 * The meta page: the root of one committed state.
 *
 * There are two, at bytes 0 and 65536. A commit writes the one that holds the older state, so a
 * torn write can only spoil the newer; the other stays whole and opening falls back to it. There is
 * no log to replay: the newest meta that can be trusted is the database. recovery.ts says which it
 * is.
 *
 *   offset  size  field
 *        0     8  magic           "MNEME" 0x0D 0x0A 0x1A
 *        8     4  formatVersion
 *       12     4  length          bytes of this meta, checksum included
 *       16     4  pageSize        bytes
 *       20     4  flags           1 weak: written without a sync, good until the machine restarts
 *       24     8  seed            of all checksums, random per database
 *       32    16  databaseId      random
 *       48     6  createdAt       ms since the epoch
 *       54     6  txnId           rises by one per commit
 *       60     4  metaEpoch       rises when a writer rejects a meta
 *       64     4  pageCount       pages of the file in use or free, meta areas included
 *       68     4  catalog root    page id of the catalog's root
 *       72     8                  its checksum
 *       80     1                  its level, 255 when the catalog is empty
 *       82     6                  entries of the catalog
 *       88     4, 4               its leaf pages and branch pages
 *       96     4  free extent     page id of the newest one (writer/pages/free-log.ts)
 *      100     8                  its checksum
 *      108     4                  its length in bytes; 0 when there is none
 *      112     6                  the transaction that it was written for
 *      118     2  reserved        zero
 *      120     4  freeLogLength   bytes
 *      124     4  newPageCount    entries of the list
 *      128    16  bootId          of the machine's run; only compared in a weak meta
 *      144     4  freePages       that may be taken
 *      148     4  waitingPages    freed, but a protected state may still see them
 *      152     8  reserved        zero
 *      160        free log, then the list of all pages and extents that this commit wrote
 *      end-8   8  checksum        of everything before
 *
 *   offset  size  field of a list entry
 *        0     4  page id
 *        4     8  checksum
 *       12     4  length in bytes; 0 for a page
 */
import { readI32, readU32, readU48, writeU32, writeU48 } from '../bytes/integers.js';
import { type TxnId, toPageId } from '../ids.js';
import { DATA_START_BYTES, META_AREA_BYTES, PAGE_SIZE_MAX, PAGE_SIZE_MIN } from '../limits.js';
import { isCommittedRoot, type Tree } from '../tree-root.js';
import type { ExtentPointer } from './overflow-page.js';

const MAGIC = Uint8Array.of(0x4d, 0x4e, 0x45, 0x4d, 0x45, 0x0d, 0x0a, 0x1a);
export const FORMAT_VERSION = 1;
const WEAK_FLAG = 1;
const FIXED_BYTES = 160;
const CHECKSUM_BYTES = 8;
export const NEW_PAGE_BYTES = 16;
/** What a meta may take of its area; the rest is left for one call's scratch. */
export const META_BYTES_MAX = 61440;
/** A weak meta is one block of the system's page cache, so that a kill cannot tear it. */
export const WEAK_META_BYTES_MAX = 4096;
/** Bytes of the free log that any kind of meta can take beside its fixed part. */
export const FREE_LOG_BYTES_MAX = WEAK_META_BYTES_MAX - FIXED_BYTES - CHECKSUM_BYTES;
/** What has to be read to learn a meta's length. */
export const META_HEADER_BYTES = 4096;
export const BOOT_ID_BYTES = 16;

/** An extent with part of the free state. */
export interface FreeExtent extends ExtentPointer {
  readonly length: number;
  readonly birth: TxnId;
}

/** One committed state. */
export interface Meta {
  readonly pageSize: number;
  readonly weak: boolean;
  readonly seedLow: number;
  readonly seedHigh: number;
  readonly databaseId: Uint8Array;
  readonly createdAt: number;
  readonly txnId: TxnId;
  readonly metaEpoch: number;
  readonly pageCount: number;
  readonly catalog: Readonly<Tree>;
  readonly freeExtent: FreeExtent | undefined;
  readonly freeLog: Uint8Array;
  /** The list of what the commit wrote, encoded; empty when it was synced before the meta. */
  readonly newPages: Uint8Array;
  readonly bootId: Uint8Array;
  readonly freePages: number;
  readonly waitingPages: number;
}

/** Bytes a meta takes with a log and a list of these lengths. */
export function metaLength(freeLogBytes: number, newPagesBytes: number): number {
  return FIXED_BYTES + freeLogBytes + newPagesBytes + CHECKSUM_BYTES;
}

/** Writes a meta except for its checksum, which belongs at the last 8 bytes; returns its length. */
export function encodeMeta(meta: Meta, target: Uint8Array, offset: number): number {
  const length = metaLength(meta.freeLog.length, meta.newPages.length);
  target.fill(0, offset, offset + FIXED_BYTES);
  target.set(MAGIC, offset);
  writeU32(target, offset + 8, FORMAT_VERSION);
  writeU32(target, offset + 12, length);
  writeU32(target, offset + 16, meta.pageSize);
  writeU32(target, offset + 20, meta.weak ? WEAK_FLAG : 0);
  writeU32(target, offset + 24, meta.seedLow);
  writeU32(target, offset + 28, meta.seedHigh);
  target.set(meta.databaseId, offset + 32);
  writeU48(target, offset + 48, meta.createdAt);
  writeU48(target, offset + 54, meta.txnId);
  writeU32(target, offset + 60, meta.metaEpoch);
  writeU32(target, offset + 64, meta.pageCount);
  writeTree(target, offset + 68, meta.catalog);
  if (meta.freeExtent !== undefined) writeFreeExtent(target, offset + 96, meta.freeExtent);
  writeU32(target, offset + 120, meta.freeLog.length);
  writeU32(target, offset + 124, meta.newPages.length / NEW_PAGE_BYTES);
  target.set(meta.bootId, offset + 128);
  writeU32(target, offset + 144, meta.freePages);
  writeU32(target, offset + 148, meta.waitingPages);
  target.set(meta.freeLog, offset + FIXED_BYTES);
  target.set(meta.newPages, offset + FIXED_BYTES + meta.freeLog.length);
  return length;
}

function writeTree(target: Uint8Array, at: number, tree: Readonly<Tree>): void {
  writeU32(target, at, tree.pageId);
  writeU32(target, at + 4, tree.low);
  writeU32(target, at + 8, tree.high);
  target[at + 12] = tree.level & 255;
  writeU48(target, at + 14, tree.count);
  writeU32(target, at + 20, tree.leafPages);
  writeU32(target, at + 24, tree.branchPages);
}

function readTree(bytes: Uint8Array, at: number): Tree {
  const level = bytes[at + 12] as number;
  return {
    pageId: toPageId(readU32(bytes, at)),
    low: readI32(bytes, at + 4),
    high: readI32(bytes, at + 8),
    level: level === 255 ? -1 : level,
    count: readU48(bytes, at + 14),
    leafPages: readU32(bytes, at + 20),
    branchPages: readU32(bytes, at + 24),
  };
}

function writeFreeExtent(target: Uint8Array, at: number, extent: FreeExtent): void {
  writeU32(target, at, extent.pageId);
  writeU32(target, at + 4, extent.low);
  writeU32(target, at + 8, extent.high);
  writeU32(target, at + 12, extent.length);
  writeU48(target, at + 16, extent.birth);
}

function readFreeExtent(bytes: Uint8Array, at: number): FreeExtent | undefined {
  const length = readU32(bytes, at + 12);
  if (length === 0) return undefined;
  return {
    pageId: toPageId(readU32(bytes, at)),
    low: readI32(bytes, at + 4),
    high: readI32(bytes, at + 8),
    length,
    birth: readU48(bytes, at + 16),
  };
}

export function hasMagic(bytes: Uint8Array): boolean {
  return bytes.length >= MAGIC.length && MAGIC.every((byte, index) => bytes[index] === byte);
}

export function metaFormatVersion(bytes: Uint8Array): number {
  return bytes.length >= 12 ? readU32(bytes, 8) : 0;
}

/** The length that a meta says it has; 0 when it cannot be one. */
export function statedLength(bytes: Uint8Array): number {
  if (!hasMagic(bytes) || bytes.length < FIXED_BYTES) return 0;
  const length = readU32(bytes, 12);
  return length >= metaLength(0, 0) && length <= META_BYTES_MAX ? length : 0;
}

export function metaSeed(bytes: Uint8Array): { low: number; high: number } {
  return { low: readI32(bytes, 24), high: readI32(bytes, 28) };
}

/** Reads a meta whose checksum holds; undefined when its fields contradict each other. */
export function decodeMeta(bytes: Uint8Array): Meta | undefined {
  const length = readU32(bytes, 12);
  const pageSize = readU32(bytes, 16);
  const logLength = readU32(bytes, 120);
  const listLength = readU32(bytes, 124) * NEW_PAGE_BYTES;
  const isPowerOfTwo = (pageSize & (pageSize - 1)) === 0;
  if (!isPowerOfTwo || pageSize < PAGE_SIZE_MIN || pageSize > PAGE_SIZE_MAX) return undefined;
  if (metaLength(logLength, listLength) !== length) return undefined;
  const catalog = readTree(bytes, 68);
  const freeExtent = readFreeExtent(bytes, 96);
  const pageCount = readU32(bytes, 64);
  if (!isCommittedRoot(catalog) || pageCount * pageSize < DATA_START_BYTES) return undefined;
  if (freeExtent !== undefined && freeExtent.length > pageCount * pageSize) return undefined;
  const logEnd = FIXED_BYTES + logLength;
  return {
    pageSize,
    weak: (readU32(bytes, 20) & WEAK_FLAG) !== 0,
    seedLow: readI32(bytes, 24),
    seedHigh: readI32(bytes, 28),
    databaseId: bytes.slice(32, 48),
    createdAt: readU48(bytes, 48),
    txnId: readU48(bytes, 54),
    metaEpoch: readU32(bytes, 60),
    pageCount,
    catalog,
    freeExtent,
    freeLog: bytes.slice(FIXED_BYTES, logEnd),
    newPages: bytes.slice(logEnd, logEnd + listLength),
    bootId: bytes.slice(128, 128 + BOOT_ID_BYTES),
    freePages: readU32(bytes, 144),
    waitingPages: readU32(bytes, 148),
  };
}

export interface NewPage extends ExtentPointer {
  /** Bytes of an extent, 0 for a page. */
  readonly length: number;
}

export function encodeNewPages(pages: readonly NewPage[]): Uint8Array {
  const list = new Uint8Array(pages.length * NEW_PAGE_BYTES);
  pages.forEach(({ pageId, low, high, length }, index) => {
    const at = index * NEW_PAGE_BYTES;
    writeU32(list, at, pageId);
    writeU32(list, at + 4, low);
    writeU32(list, at + 8, high);
    writeU32(list, at + 12, length);
  });
  return list;
}

export function decodeNewPages(list: Uint8Array): NewPage[] {
  return Array.from({ length: list.length / NEW_PAGE_BYTES }, (_, index) => {
    const at = index * NEW_PAGE_BYTES;
    const pageId = toPageId(readU32(list, at));
    const length = readU32(list, at + 12);
    return { pageId, low: readI32(list, at + 4), high: readI32(list, at + 8), length };
  });
}

/** Where the meta of each slot starts in the file. */
export function metaOffset(slot: number): number {
  return slot * META_AREA_BYTES;
}

/** The first page that is not part of a meta area. */
export function firstDataPage(pageSize: number): number {
  return DATA_START_BYTES / pageSize;
}
