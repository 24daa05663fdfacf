/**
 * What is done to a file: fields that mean something, pointers, slots, or any byte get another
 * content, and every checksum above is made right again.
 */
import { VarintWriter } from '../../dist/shared/bytes/varint.js';
import { encodeChange } from '../../dist/shared/pages/free-state.js';
import type { Change, Content, Damage, FreeChange } from './random-damage.js';
import {
  cellsOf,
  levelOf,
  META_AREA_BYTES,
  NODE_BYTES,
  PAGE_BYTES,
  type Part,
  POINTER_BYTES,
  partsOf,
  seal,
  treesOffset,
} from './sealed-file.js';

/** Chosen from first, by how often they stand here, since there are few metas and many leaves. */
const OWNERS: readonly Part['owner'][] = [
  ...(['values', 'values', 'values', 'values', 'values', 'values', 'expiry', 'expiry'] as const),
  ...(['catalog', 'catalog', 'meta', 'list', 'free', 'dropped', 'dropped'] as const),
  ...(['names', 'names', 'names', 'members', 'members', 'ranks', 'ranks', 'elements'] as const),
  ...(['slots', 'slots', 'keys', 'keys', 'codes', 'codes', 'codes', 'originals'] as const),
  ...(['numbers', 'terms', 'postings', 'postings', 'postings', 'forwards', 'pending'] as const),
];

/** Whose records begin with bytes that all mean something. */
const TEXT_BYTES_OWNERS: ReadonlySet<string> = new Set(['numbers', 'terms', 'forwards', 'pending']);

/** Settings and counters of full text, the analyzer's name left out. */
const TEXT_FIELDS = [1, 1, 4, 4, 4, 4, 4, 6, 6, 4, 6, 6, 4, 4];

interface Field {
  readonly at: number;
  readonly size: number;
}

/** What is copied of a meta; those of the files here are shorter. */
const META_BYTES_MAX = 8192;

function pick<T>(items: readonly T[], choice: number): T {
  return items[choice % items.length] as T;
}

const NODE_HEADER = [
  ...[1, 1, 2, 4, 4, 4, 4, 2, 2, 4, 4], // type to deadBytes, as shared/pages/page.ts draws them
];
const META_FIELDS = [
  ...[8, 4, 4, 4, 4, 4, 4, 16, 6, 6, 4, 4, 4, 4, 4, 1, 1, 6, 4, 4],
  ...[4, 4, 4, 4, 6, 2, 4, 4, 16, 4, 4, 8], // magic to reserved, as meta-page.ts draws them
];

function fieldsFrom(start: number, sizes: readonly number[]): Field[] {
  let at = start;
  return sizes.map((size) => {
    at += size;
    return { at: at - size, size: Math.min(size, 6) };
  });
}

/** Fields of a part by group: header, slots, cells; what has none of them is bytes. */
function fieldsOf(file: Buffer, part: Part, group: number): Field[] {
  if (part.kind === 'meta') return fieldsFrom(part.start, META_FIELDS);
  if (part.kind === 'extent') {
    const sizes = Array.from({ length: Math.min(part.length >> 2, 200) }, () => 4);
    return fieldsFrom(part.start, sizes.length > 0 ? sizes : [1]);
  }
  const cells = cellsOf(file, part);
  if (group === 0) return fieldsFrom(part.start, NODE_HEADER);
  if (group === 1) return cells.flatMap(({ slotAt }) => fieldsFrom(slotAt, [4, 2, 2]));
  return cells.flatMap((cell) => {
    if (levelOf(file, part) > 0) return fieldsFrom(cell.cellAt, [4, 4, 4, 4, 2]);
    const length = { at: cell.cellAt, size: 2 };
    return [length, ...recordFields(file, part, cell.valueAt, cell.valueLength)];
  });
}

function recordFields(file: Buffer, part: Part, at: number, length: number): Field[] {
  if (length === 0) return [];
  if (part.owner === 'names') return fieldsFrom(at, [4, 4, ...(length > 8 ? [4, 4, 4, 4] : [])]);
  if (part.owner === 'members') return fieldsFrom(at, [2, 2, 2, 2]);
  if (part.owner === 'slots') return fieldsFrom(at, [6]);
  if (part.owner === 'keys') return fieldsFrom(at, [1]);
  if (part.owner === 'codes') return fieldsFrom(at, [4, 4, 4, 1, 1, 1, 1, 1]);
  if (part.owner === 'originals') return fieldsFrom(at, [4, 4, 4, 4]);
  if (part.owner === 'postings') return fieldsFrom(at, [4, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  if (TEXT_BYTES_OWNERS.has(part.owner)) return fieldsFrom(at, [1, 1, 1, 1].slice(0, length));
  if (part.owner !== 'catalog') return fieldsFrom(at, length < 24 ? [1] : [1, 6, 4, 4, 4, 4]);
  if (length === 14) return fieldsFrom(at, [4, 4, 4, 1, 1]);
  const tree = [1, 1, 4, 4, 4, 6, 6, 6, 1];
  const offset = treesOffset(file, at);
  const trees = Array.from({ length: (length - offset) / 33 }, () => tree).flat();
  const settings = offset > 26 ? [...TEXT_FIELDS, ...Array(offset - 26 - 58).fill(1)] : [];
  return fieldsFrom(at, [1, 1, 1, 1, 6, 6, 6, 4, ...settings, ...trees]);
}

function writeField(file: Buffer, { at, size }: Field, to: Content): void {
  const old = file.readUIntLE(at, size);
  const limit = 2 ** (8 * size);
  let value = to.value;
  if (to.kind === 'add') value = old + to.value;
  if (to.kind === 'flip') {
    const bit = 2 ** (to.value % (8 * size));
    value = Math.floor(old / bit) % 2 === 0 ? old + bit : old - bit;
  }
  file.writeUIntLE(((value % limit) + limit) % limit, at, size);
}

/** Where a part's pointers stand. */
function pointersOf(parts: readonly Part[], part: Part): number[] {
  return parts.filter(({ parent }) => parent === part).map(({ pointerAt }) => pointerAt);
}

const DEAD_BYTES = 28;

function applyChange(file: Buffer, parts: readonly Part[], part: Part, change: Change): void {
  if (part.kind === 'node') changeNode(file, part, change);
  switch (change.kind) {
    case 'field': {
      // An earlier change may have made a record seem longer than its part.
      const end = part.start + part.length;
      const all = fieldsOf(file, part, change.group);
      const fields = all.filter(({ at, size }) => at + size <= end);
      if (fields.length > 0) writeField(file, pick(fields, change.place), change.to);
      return;
    }
    case 'byte':
      file.writeUInt8(change.value, part.start + (change.place % part.length));
      return;
    case 'pointer': {
      const pointers = pointersOf(parts, part);
      if (pointers.length === 0) return;
      const target = pick(parts.slice(1), change.target).pointerAt;
      file.copy(file, pick(pointers, change.place), target, target + POINTER_BYTES);
      return;
    }
    default:
  }
}

/** Changes that only a node can have. */
function changeNode(file: Buffer, part: Part, change: Change): void {
  const cells = cellsOf(file, part);
  if (cells.length === 0) return;
  switch (change.kind) {
    case 'slot': {
      const from = pick(cells, change.target).slotAt;
      file.copy(file, pick(cells, change.place).slotAt, from, from + 8);
      return;
    }
    case 'shorten':
      shorten(file, part, change.place, change.bytes);
      return;
    case 'remove':
      removeEntry(file, part, change.place);
      return;
    case 'prefix':
      changePrefix(file, part, change.place, change.value);
      return;
    default:
  }
}

/** Takes up to so many bytes from the end of a value and calls them free. */
function shorten(file: Buffer, part: Part, place: number, bytes: number): void {
  if (levelOf(file, part) > 0) return;
  const { cellAt, valueLength } = pick(cellsOf(file, part), place);
  const taken = Math.min(bytes, valueLength);
  file.writeUInt16LE(valueLength - taken, cellAt);
  addDeadBytes(file, part, taken);
}

function addDeadBytes(file: Buffer, part: Part, count: number): void {
  const at = part.start + DEAD_BYTES;
  file.writeUInt32LE((file.readUInt32LE(at) + count) % 2 ** 32, at);
}

function removeEntry(file: Buffer, part: Part, place: number): void {
  const cells = cellsOf(file, part);
  if (cells.length < 2) return;
  const { slotAt, cellAt, valueAt, valueLength } = pick(cells, place);
  const isLeaf = levelOf(file, part) === 0;
  const suffixLength = file.readUInt16LE(slotAt + 6);
  const size = isLeaf ? valueAt + valueLength - cellAt : 18 + Math.max(0, suffixLength - 4);
  file.copy(file, slotAt, slotAt + 8, (cells.at(-1)?.slotAt ?? 0) + 8);
  file.writeUInt16LE(cells.length - 1, part.start + 2);
  addDeadBytes(file, part, size);
}

/** Changes all keys of a node alike, so that they still rise. */
function changePrefix(file: Buffer, part: Part, place: number, value: number): void {
  const length = file.readUInt16LE(part.start + 20);
  if (length > 0) file.writeUInt8(value, part.start + NODE_BYTES - 1 - (place % length));
}

/** A copy of the file with the damage done and everything sealed anew. */
export function damagedCopy(original: Buffer, parts: readonly Part[], damage: Damage): Buffer {
  const file = Buffer.from(original);
  damageFile(file, parts, damage);
  return file;
}

/** Does the damage and seals everything anew. */
export function damageFile(file: Buffer, parts: readonly Part[], damage: Damage): void {
  const owners = OWNERS.filter((owner) => parts.some((part) => part.owner === owner));
  const owner = pick(owners, damage.owner);
  let part = pick(
    parts.filter((candidate) => candidate.owner === owner),
    damage.part,
  );
  for (const change of damage.changes) {
    if (!canBeRead(file, part)) continue;
    if (change.kind === 'free' && part.kind === 'meta') part = writeFreeLog(file, part, change);
    else applyChange(file, parts, part, change);
  }
  seal(file, part);
  if (!damage.oneMeta) file.copy(file, META_AREA_BYTES, 0, META_BYTES_MAX);
}

const META_LENGTH = 12;
const META_PAGE_COUNT = 64;
const META_TXN = 54;
const META_LOG_LENGTH = 120;
const META_LIST_COUNT = 124;
const META_FIXED_BYTES = 160;

/** Puts a free log of one's own into a meta, which can be read and tells lies. */
function writeFreeLog(file: Buffer, meta: Part, change: FreeChange): Part {
  const writer = new VarintWriter();
  const pageCount = file.readUInt32LE(meta.start + META_PAGE_COUNT);
  const newest = file.readUIntLE(meta.start + META_TXN, 6);
  const freedBy = { old: 0, new: newest, future: newest + 1 }[change.when];
  const runs = (chosen: readonly number[]) => chosen.map((choice) => choice % (pageCount + 2));
  encodeChange(writer, { freedBy, taken: runs(change.taken), freed: runs(change.freed) });
  const log = writer.bytes();
  const length = META_FIXED_BYTES + log.length + 8;
  file.set(log, meta.start + META_FIXED_BYTES);
  file.writeUInt32LE(length, meta.start + META_LENGTH);
  file.writeUInt32LE(log.length, meta.start + META_LOG_LENGTH);
  file.writeUInt32LE(0, meta.start + META_LIST_COUNT);
  return { ...meta, length };
}

/** False when an earlier change made it impossible to say where its fields are. */
function canBeRead(file: Buffer, part: Part): boolean {
  if (part.kind !== 'node') return true;
  try {
    return cellsOf(file, part).every(({ valueAt }) => valueAt + 200 < file.length);
  } catch {
    return false; // an offset outside of the file is what is asked about
  }
}

/** The parts of a file, for a file that is not damaged yet. */
export function readParts(file: Buffer): Part[] {
  if (file.length % PAGE_BYTES !== 0) throw new RangeError('a file is made of pages');
  return partsOf(file);
}
