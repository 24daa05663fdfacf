/**
 * A database file as parts that each have a checksum: metas, nodes, extents. Any part can be
 * changed and sealed anew, up to the meta, so that all checksums hold and only the content is
 * wrong.
 *
 * It reads the file by itself, from the layouts as they are drawn: what it takes from the engine is
 * the checksum and nothing else.
 */
import { createMemoryHandle, SharedMemory } from '../../dist/shared/memory/shared-memory.js';
import { sumExtent } from '../../dist/shared/pages/overflow-page.js';
import { Checksummer } from '../../dist/shared/pages/page-file.js';

export const PAGE_BYTES = 4096;
/** What a node takes of a page: all but the trailer. */
export const NODE_BYTES = PAGE_BYTES - 48;
export const META_AREA_BYTES = 65536;
const META_CATALOG = 68;
const META_FREE_EXTENT = 96;
const SLOTS = 32;
const SLOT_BYTES = 8;
const HEAD_BYTES = 4;
const EXTENT_BYTES_MAX = 2 ** 20;
const NO_LEVEL = 255;
const RECORD_TREES = 26;
const TREE_BYTES = 33;
/** The kind of a keyspace of full text, whose settings stand before its trees. */
const KIND_TEXT = 2;
/** The kind of an encrypted keyspace, whose trees nobody sees without a key. */
const KIND_SEALED = 3;
const SETTINGS_BYTES = 58;
/** By their roles, from 1. */
const TREES = [
  ...(['values', 'expiry', 'names', 'members', 'ranks', 'elements'] as const),
  ...(['slots', 'keys', 'codes', 'originals'] as const),
  ...(['numbers', 'terms', 'postings', 'forwards', 'pending'] as const),
] as const;

/** What pointers have in common, wherever they stand: page id (4 bytes), checksum (8). */
export const POINTER_BYTES = 12;

/** A range of the file that one checksum covers. */
export interface Part {
  readonly kind: 'meta' | 'node' | 'extent';
  /** What a node belongs to, or an extent is for. */
  readonly owner: 'meta' | 'catalog' | (typeof TREES)[number] | 'dropped' | 'list' | 'free';
  readonly start: number;
  readonly length: number;
  /** Where the pointer to it stands, within its parent; 0 for a meta. */
  readonly pointerAt: number;
  readonly parent: Part | undefined;
}

const memory = new SharedMemory(createMemoryHandle(PAGE_BYTES, 2 ** 20));
const WINDOW = memory.scratchAddress(0);
const OUT = memory.scratchAddress(1);

/** Writes the checksum of `length` bytes of the file at `start` to `target`. */
function writeChecksum(file: Buffer, part: Part, seedAt: number, target: number): void {
  const seed = { low: file.readInt32LE(seedAt), high: file.readInt32LE(seedAt + 4) };
  const checksummer = new Checksummer(memory, seed, OUT);
  const copy = (address: number, offset: number, length: number): void => {
    memory.u8.set(file.subarray(part.start + offset, part.start + offset + length), address);
  };
  if (part.kind === 'extent') sumExtent(memory, checksummer, WINDOW, part.length, copy);
  else {
    const length = part.kind === 'meta' ? part.length - 8 : part.length;
    copy(WINDOW, 0, length);
    checksummer.compute(WINDOW, length);
  }
  file.writeInt32LE(checksummer.low, target);
  file.writeInt32LE(checksummer.high, target + 4);
}

/** Makes all checksums right from a part up to its meta, which then stands in both slots. */
export function seal(file: Buffer, part: Part): void {
  let meta = part;
  while (meta.parent !== undefined) meta = meta.parent;
  const seedAt = meta.start + 24;
  for (let at: Part | undefined = part; at !== undefined; at = at.parent) {
    const target = at.kind === 'meta' ? at.start + at.length - 8 : at.pointerAt + 4;
    writeChecksum(file, at, seedAt, target);
  }
}

/** Where an entry stands in its node. */
export interface Cell {
  readonly keyFirstByte: number;
  readonly slotAt: number;
  readonly cellAt: number;
  readonly valueAt: number;
  readonly valueLength: number;
}

export function levelOf(file: Buffer, node: Part): number {
  return file.readUInt8(node.start + 1);
}

export function cellsOf(file: Buffer, node: Part): Cell[] {
  const isLeaf = levelOf(file, node) === 0;
  const prefixLength = file.readUInt16LE(node.start + 20);
  return Array.from({ length: file.readUInt16LE(node.start + 2) }, (_, index) => {
    const slotAt = node.start + SLOTS + index * SLOT_BYTES;
    const cellAt = node.start + file.readUInt16LE(slotAt + 4);
    const suffixLength = file.readUInt16LE(slotAt + 6);
    const fixed = isLeaf ? 2 : 18;
    const restAt = cellAt + fixed;
    const restLength = Math.max(0, suffixLength - HEAD_BYTES);
    const keyFirstByte =
      prefixLength > 0
        ? file.readUInt8(node.start + NODE_BYTES - prefixLength)
        : file.readUInt8(slotAt + HEAD_BYTES - 1) ^ 128;
    const valueAt = isLeaf ? restAt + restLength : cellAt;
    const valueLength = isLeaf ? file.readUInt16LE(cellAt) : fixed;
    return { keyFirstByte, slotAt, cellAt, valueAt, valueLength };
  });
}

/** Everything that is reached from the meta in slot 0. */
export function partsOf(file: Buffer): Part[] {
  const length = file.readUInt32LE(12);
  const start = { kind: 'meta', owner: 'meta', start: 0, pointerAt: 0 } as const;
  const meta: Part = { ...start, length, parent: undefined };
  const parts = [meta];
  const freeBytes = file.readUInt32LE(META_FREE_EXTENT + 12);
  if (freeBytes > 0) parts.push(extentAt(file, meta, META_FREE_EXTENT, freeBytes, 'free'));
  addTree(file, parts, meta, META_CATALOG, file.readUInt8(META_CATALOG + 12), 'catalog');
  return parts;
}

function extentAt(
  file: Buffer,
  parent: Part,
  pointerAt: number,
  length: number,
  owner: Part['owner'],
): Part {
  const start = file.readUInt32LE(pointerAt) * PAGE_BYTES;
  return { kind: 'extent', owner, start, length, pointerAt, parent };
}

function addTree(
  file: Buffer,
  parts: Part[],
  parent: Part,
  pointerAt: number,
  level: number,
  owner: Part['owner'],
): void {
  if (level === NO_LEVEL) return;
  const node = { ...extentAt(file, parent, pointerAt, PAGE_BYTES, owner), kind: 'node' } as const;
  parts.push(node);
  for (const { keyFirstByte, cellAt, valueAt } of cellsOf(file, node)) {
    if (level > 0) addTree(file, parts, node, cellAt, level - 1, owner);
    else if (HAVE_EXTENTS.has(owner)) addExtents(file, parts, node, valueAt);
    else if (owner === 'catalog') addKeyspace(file, parts, node, keyFirstByte, valueAt);
  }
}

const HAVE_EXTENTS: ReadonlySet<string> = new Set(['values', 'elements', 'dropped']);

function addKeyspace(
  file: Buffer,
  parts: Part[],
  leaf: Part,
  keyFirstByte: number,
  record: number,
): void {
  if (keyFirstByte === 0) {
    addTree(file, parts, leaf, record, file.readUInt8(record + 12), 'dropped');
    return;
  }
  // The key ring, and what was dropped of an encrypted keyspace; such a keyspace's own record.
  if (keyFirstByte > 1 || file.readUInt8(record) === KIND_SEALED) return;
  const treeCount = file.readUInt8(record + 3);
  const trees = record + treesOffset(file, record);
  for (let index = 0; index < treeCount; index++) {
    const tree = trees + index * TREE_BYTES;
    const owner = TREES[file.readUInt8(tree) - 1] ?? 'values';
    addTree(file, parts, leaf, tree + 2, file.readUInt8(tree + 1), owner);
  }
}

/** Where the trees stand in a keyspace's record. */
export function treesOffset(file: Buffer, record: number): number {
  if (file.readUInt8(record) !== KIND_TEXT) return RECORD_TREES;
  return RECORD_TREES + SETTINGS_BYTES + file.readUInt8(record + RECORD_TREES + 1);
}

function addExtents(file: Buffer, parts: Part[], leaf: Part, record: number): void {
  const tag = file.readUInt8(record);
  if ((tag & 32) === 0) return;
  const payload = record + ((tag & (16 | 64)) === 0 ? 1 : 7);
  const length = file.readUInt32LE(payload);
  const count = Math.ceil(length / EXTENT_BYTES_MAX);
  if (count <= 1) {
    parts.push(extentAt(file, leaf, payload + 4, length, 'values'));
    return;
  }
  const list = extentAt(file, leaf, payload + 4, count * POINTER_BYTES, 'list');
  parts.push(list);
  for (let index = 0; index < count; index++) {
    const part = Math.min(EXTENT_BYTES_MAX, length - index * EXTENT_BYTES_MAX);
    parts.push(extentAt(file, list, list.start + index * POINTER_BYTES, part, 'values'));
  }
}
