/**
 * Which of the two metas to trust.
 *
 * The newest whose checksum holds. A commit with a single sync lists the pages that it wrote in its
 * meta: if the other slot does not confirm it (by a copy of the same meta), the list is checked,
 * and when a page of it is not there the other meta is the state, for then the commit was never
 * acknowledged. A meta that is confirmed, or whose pages were synced before it, is never stepped
 * back from: a page of it that fails later is damage. A weak meta counts only until the machine
 * restarts.
 */
import { debug, isDebugged } from '../debug-log.js';
import { MnemeError } from '../errors.js';
import { SCRATCH_BYTES, type SharedMemory } from '../memory/shared-memory.js';
import {
  decodeMeta,
  decodeNewPages,
  FORMAT_VERSION,
  hasMagic,
  META_HEADER_BYTES,
  type Meta,
  metaFormatVersion,
  metaOffset,
  metaSeed,
  type NewPage,
  statedLength,
} from './meta-page.js';
import { sumExtent } from './overflow-page.js';
import { Checksummer } from './page-file.js';
import type { StorageFile } from './storage.js';

/** A part of the shared memory that only this thread uses: its scratch window. */
export interface ScratchMemory {
  readonly memory: SharedMemory;
  readonly window: number;
}

export interface TrustedMeta {
  readonly meta: Meta;
  readonly slot: 0 | 1;
  /** True when the other slot holds something newer that must not come back. */
  readonly rejectedOther: boolean;
  /** A commit in the other slot of which pages are missing: it was never acknowledged. */
  readonly rejected?: MetaOrder;
  /** True when the other slot holds a copy of the same state. */
  readonly confirmed: boolean;
  /** The newest state that survives a power cut: `meta`, or the other slot's when that is weak. */
  readonly durable: Meta;
  readonly torn: readonly TornSlot[];
}

/** A slot without a whole meta, and what stood there instead: all that says it is not whole. */
export interface TornSlot {
  readonly slot: 0 | 1;
  readonly bytes: Uint8Array;
}

/** The checksum of a range, computed with a seed that the range itself states. */
export function checksumWord(scratch: ScratchMemory): number {
  return scratch.window + SCRATCH_BYTES - 8;
}

/**
 * Reads a range. What is missing of it is behind the end of the file, or the read has failed: taken
 * for an end, that would lead back to an older state.
 */
function readRange(
  file: StorageFile,
  memory: SharedMemory,
  target: number,
  length: number,
  offset: number,
): number {
  const count = file.read(memory.u8, target, length, offset);
  if (count === length || file.size() <= offset + count) return count;
  throw new MnemeError('ERR_MNEME_IO', { reason: 'a read ended early', offset: offset + count });
}

type SlotContent =
  | { readonly kind: 'none' | 'damaged' | 'damaged-newer' | 'newer'; readonly bytes: Uint8Array }
  | { readonly kind: 'meta'; readonly meta: Meta };

function readSlot(file: StorageFile, slot: 0 | 1, scratch: ScratchMemory): SlotContent {
  const { memory, window } = scratch;
  const offset = metaOffset(slot);
  let count = readRange(file, memory, window, META_HEADER_BYTES, offset);
  const header = memory.u8.subarray(window, window + count);
  if (!hasMagic(header)) return { kind: 'none', bytes: header.slice() };
  const isNewer = metaFormatVersion(header) > FORMAT_VERSION;
  const length = statedLength(header);
  if (length > META_HEADER_BYTES && count === META_HEADER_BYTES) {
    const rest = length - META_HEADER_BYTES;
    const more = offset + META_HEADER_BYTES;
    count += readRange(file, memory, window + META_HEADER_BYTES, rest, more);
  }
  const bytes = memory.u8.slice(window, window + count);
  const damaged = { kind: isNewer ? 'damaged-newer' : 'damaged', bytes } as const;
  if (length === 0 || count < length) return damaged;
  const seed = metaSeed(header);
  const checksummer = new Checksummer(memory, seed, checksumWord(scratch));
  checksummer.compute(window, length - 8);
  const stored = new DataView(bytes.buffer, length - 8);
  const holds =
    stored.getInt32(0, true) === checksummer.low && stored.getInt32(4, true) === checksummer.high;
  if (!holds) return damaged;
  if (isNewer) return { kind: 'newer', bytes };
  const meta = decodeMeta(bytes.subarray(0, length));
  return meta === undefined ? damaged : { kind: 'meta', meta };
}

function tornSlots(slots: readonly SlotContent[]): TornSlot[] {
  return slots.flatMap((content, index) => {
    return content.kind === 'meta' ? [] : [{ slot: index === 0 ? 0 : 1, bytes: content.bytes }];
  });
}

/** What says which of two metas is newer. */
export type MetaOrder = Pick<Meta, 'metaEpoch' | 'txnId' | 'weak'>;

/** True when state `a` came after `b`; what a rejected commit left has a lower epoch. */
export function isNewerMeta(a: MetaOrder, b: MetaOrder): boolean {
  if (a.metaEpoch !== b.metaEpoch) return a.metaEpoch > b.metaEpoch;
  if (a.txnId !== b.txnId) return a.txnId > b.txnId;
  return !a.weak && b.weak;
}

export function isSameMeta(a: MetaOrder, b: MetaOrder): boolean {
  return a.metaEpoch === b.metaEpoch && a.txnId === b.txnId && a.weak === b.weak;
}

/** False for a weak meta of another run of the machine: its pages may never have been written. */
function countsNow(meta: Meta, readBootId: () => Uint8Array): boolean {
  if (!meta.weak) return true;
  const bootId = readBootId();
  const known = bootId.some((byte) => byte !== 0);
  return known && bootId.every((byte, index) => meta.bootId[index] === byte);
}

/** True when the file is long enough for a commit, and holds every page of its list. */
function holdsNewPages(file: StorageFile, meta: Meta, scratch: ScratchMemory): boolean {
  const { memory, window } = scratch;
  const seed = { low: meta.seedLow, high: meta.seedHigh };
  const checksummer = new Checksummer(memory, seed, checksumWord(scratch));
  const sizeBytes = file.size();
  if (sizeBytes < meta.pageCount * meta.pageSize) return false;
  const holds = (page: NewPage): boolean => {
    const start = page.pageId * meta.pageSize;
    const { pageSize } = meta;
    if (start + page.length > sizeBytes) return false;
    let complete = true;
    const read = (target: number, offset: number, length: number) => {
      complete &&= readRange(file, memory, target, length, start + offset) === length;
    };
    if (page.length > 0) sumExtent(memory, checksummer, window, page.length, read);
    else {
      read(window, 0, pageSize);
      checksummer.compute(window, pageSize);
    }
    return complete && checksummer.low === page.low && checksummer.high === page.high;
  };
  return decodeNewPages(meta.newPages).every(holds);
}

/**
 * The state to open. Throws `ERR_MNEME_NOT_A_DATABASE`, `ERR_MNEME_FORMAT_VERSION` or
 * `ERR_MNEME_CORRUPT`.
 */
export function chooseMeta(
  file: StorageFile,
  scratch: ScratchMemory,
  readBootId: () => Uint8Array,
): TrustedMeta {
  const trusted = newestTrusted(file, scratch, readBootId);
  const { pageCount, pageSize } = trusted.meta;
  // A byte more is read, since the system's first answer about a file takes half a millisecond.
  const lastByte = pageCount * pageSize - 1;
  if (file.read(scratch.memory.u8, scratch.window, 1, lastByte) === 1) {
    if (isDebugged) debug(`recovery: ${describeTrust(trusted)}`);
    return trusted;
  }
  const reason = 'the file ends before its last page';
  throw new MnemeError('ERR_MNEME_CORRUPT', { page: pageCount - 1, reason });
}

/** Which meta was chosen, and why not the other. */
function describeTrust({ meta, slot, confirmed, rejected, rejectedOther, torn }: TrustedMeta) {
  const { txnId, metaEpoch, pageCount, weak } = meta;
  const state = confirmed ? 'confirmed' : 'not confirmed';
  const others = [
    ...torn.map((other) => `slot ${other.slot} holds no whole meta`),
    ...(rejected === undefined ? [] : [`transaction ${rejected.txnId} is incomplete and ignored`]),
    ...(rejectedOther && rejected === undefined
      ? ['an unsynced one of another run is ignored']
      : []),
  ];
  const chosen = `meta of slot ${slot}, transaction ${txnId}, epoch ${metaEpoch}`;
  return [chosen, `${pageCount} pages`, weak ? 'not synced' : state, ...others].join(', ');
}

function newestTrusted(
  file: StorageFile,
  scratch: ScratchMemory,
  readBootId: () => Uint8Array,
): TrustedMeta {
  const slots = [readSlot(file, 0, scratch), readSlot(file, 1, scratch)] as const;
  const usable = slots.some(({ kind }) => kind === 'meta');
  if (slots.some(({ kind }) => kind === 'newer' || (kind === 'damaged-newer' && !usable))) {
    throw new MnemeError('ERR_MNEME_FORMAT_VERSION', { supported: FORMAT_VERSION });
  }
  if (slots.every(({ kind }) => kind === 'none')) throw new MnemeError('ERR_MNEME_NOT_A_DATABASE');
  const metas = slots.map((content) =>
    content.kind === 'meta' && countsNow(content.meta, readBootId) ? content.meta : undefined,
  );
  const newest = newestSlot(metas);
  const meta = newest === undefined ? undefined : metas[newest];
  if (newest === undefined || meta === undefined) {
    throw new MnemeError('ERR_MNEME_CORRUPT', { page: 0, reason: 'no meta page can be trusted' });
  }
  const otherSlot = newest === 0 ? 1 : 0;
  const other = metas[otherSlot];
  const confirmed = other !== undefined && other.txnId === meta.txnId && !meta.weak && !other.weak;
  if (confirmed || meta.weak || meta.newPages.length === 0 || holdsNewPages(file, meta, scratch)) {
    const otherHolds = slots[otherSlot].kind === 'meta' && other === undefined;
    const durable = meta.weak && other !== undefined ? other : meta;
    const torn = tornSlots(slots);
    return { meta, slot: newest, rejectedOther: otherHolds, confirmed, durable, torn };
  }
  if (other === undefined) {
    throw new MnemeError('ERR_MNEME_CORRUPT', { page: 0, reason: 'the last commit is incomplete' });
  }
  const place = { meta: other, slot: otherSlot } as const;
  const chosen = { ...place, confirmed: false, durable: other, torn: [] };
  return { ...chosen, rejectedOther: true, rejected: meta };
}

/** What a file that another process writes says of itself at this moment. */
export interface SeenMeta {
  readonly meta: Meta | undefined;
  /** Slots that may be in the middle of being written. */
  readonly torn: readonly TornSlot[];
}

/**
 * The newest meta of a file that another process writes. Its pages are not checked: a writer that
 * lives has written them before, and whoever reads one sees by its checksum.
 */
export function readNewestMeta(
  file: StorageFile,
  scratch: ScratchMemory,
  readBootId: () => Uint8Array,
): SeenMeta {
  const slots = [readSlot(file, 0, scratch), readSlot(file, 1, scratch)];
  const metas = slots.map((content) => {
    return content.kind === 'meta' && countsNow(content.meta, readBootId)
      ? content.meta
      : undefined;
  });
  const newest = newestSlot(metas);
  return { meta: newest === undefined ? undefined : metas[newest], torn: tornSlots(slots) };
}

function newestSlot(metas: readonly (Meta | undefined)[]): 0 | 1 | undefined {
  const [first, second] = metas;
  if (first === undefined) return second === undefined ? undefined : 1;
  if (second === undefined) return 0;
  return isNewerMeta(second, first) ? 1 : 0;
}
