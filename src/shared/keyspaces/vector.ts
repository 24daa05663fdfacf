/**
 * Vectors: four trees of a keyspace.
 *
 *   tree          key              record
 *   vectorSlots   user key         slot (6 bytes)
 *   vectorKeys    slot             user key
 *   codes         entry number     the rows of int8 codes of some slots (vector-codes.ts)
 *   originals     stripe number    a part of all float32 numbers, as if they lay in one array
 *
 * Slots are 0 to count - 1 without holes: a new vector takes the next one, and where one is removed
 * the last moves into its place. So codes and originals are arrays, full but for their ends, that
 * a search runs through without a look at keys; inserting in any order appends. All entries and all
 * stripes have the same size; what is behind the last slot in them is zero. Numbers are ordered ids
 * (ordered-key.ts).
 */
import { readU48 } from '../bytes/integers.js';
import { ORDERED_BYTES, writeOrderedId } from '../bytes/ordered-key.js';
import type { VectorLayout } from '../bytes/vector-codes.js';
import { MnemeError } from '../errors.js';
import { entryCount } from '../pages/page.js';
import type { PageSource } from '../pages/page-source.js';
import { valueAddress, valueLength } from '../tree/node.js';
import { stepIndex, walkToLeaf } from '../tree/walk.js';
import type { TreeRoot } from '../tree-root.js';
import type { KeyspaceRecord } from './catalog.js';
import { findRecord } from './values.js';

export const SLOT_RECORD_BYTES = 6;
const FLOAT_BYTES = 4;
/** Four stripes fill a leaf. */
const STRIPE_OVERHEAD_BYTES = 24;

/** The size of the stripes that float32 numbers are cut into. */
export function stripeBytes(nodeBytes: number): number {
  return nodeBytes / 4 - STRIPE_OVERHEAD_BYTES;
}

/** How many entries of codes there are for so many vectors. */
export function codeEntryCount({ segments, rowsPerEntry }: VectorLayout, count: number): number {
  return Math.ceil(count / rowsPerEntry) * segments;
}

/** How many stripes there are for so many vectors. */
export function stripeCount(dimension: number, count: number, nodeBytes: number): number {
  return Math.ceil((count * dimension * FLOAT_BYTES) / stripeBytes(nodeBytes));
}

const numberKey = new Uint8Array(ORDERED_BYTES);

/** The key of a number; reused by the next call. */
export function keyOfNumber(number: number): Uint8Array {
  writeOrderedId(numberKey, 0, number);
  return numberKey;
}

export function vectorsDamaged(reason: string): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', { reason });
}

/** Where the record of a number lies; good until the next page is fetched. */
function findNumber(source: PageSource, tree: Readonly<TreeRoot>, number: number) {
  const start = source.placeKey(keyOfNumber(number));
  const place = findRecord(source, tree, start, start + ORDERED_BYTES);
  if (place === undefined) throw vectorsDamaged('the vectors have a hole');
  return place;
}

/** A record of a number, which has a known size, in an array of its own. */
export function readNumbered(
  source: PageSource,
  tree: Readonly<TreeRoot>,
  number: number,
  size: number,
): Uint8Array {
  const { address, length } = findNumber(source, tree, number);
  if (length !== size) throw vectorsDamaged('a record of vectors has another size');
  return source.memory.u8.slice(address, address + size);
}

/** The slot of the key in the memory's `[start, end)`; -1 when it has no vector. */
export function findSlot(
  source: PageSource,
  record: KeyspaceRecord,
  start: number,
  end: number,
): number {
  const place = findRecord(source, record.vectorSlots, start, end);
  if (place === undefined) return -1;
  if (place.length !== SLOT_RECORD_BYTES) throw vectorsDamaged('a key of a vector has no slot');
  return readU48(source.memory.u8, place.address);
}

/** The key whose vector a slot holds. */
export function keyOfSlot(source: PageSource, record: KeyspaceRecord, slot: number): Uint8Array {
  const { address, length } = findNumber(source, record.vectorKeys, slot);
  return source.memory.u8.slice(address, address + length);
}

/** A part of a stripe that holds a part of a vector. */
export interface StripePart {
  readonly stripe: number;
  /** Where the part begins in the stripe and in the vector, and its length, in bytes. */
  readonly inStripe: number;
  readonly inVector: number;
  readonly length: number;
}

/** The stripes that hold the numbers of a slot. */
export function stripeParts(slot: number, dimension: number, nodeBytes: number): StripePart[] {
  const size = stripeBytes(nodeBytes);
  const parts: StripePart[] = [];
  const bytes = dimension * FLOAT_BYTES;
  for (let inVector = 0; inVector < bytes; ) {
    const at = slot * bytes + inVector;
    const inStripe = at % size;
    const length = Math.min(size - inStripe, bytes - inVector);
    parts.push({ stripe: (at - inStripe) / size, inStripe, inVector, length });
    inVector += length;
  }
  return parts;
}

/** The float32 numbers of a slot, in an array of their own or in one that is given. */
export function readOriginal(
  source: PageSource,
  { originals, dimension }: KeyspaceRecord,
  slot: number,
  vector = new Float32Array(dimension),
): Float32Array {
  const { memory, walk } = source;
  const bytes = new Uint8Array(vector.buffer);
  const size = stripeBytes(memory.nodeBytes);
  const total = dimension * FLOAT_BYTES;
  let leaf = 0;
  let index = 0;
  for (let done = 0; done < total; ) {
    const at = slot * total + done;
    const offset = at % size;
    // The next stripe mostly stands behind the one before.
    if (leaf === 0 || ++index >= entryCount(memory, leaf)) {
      const start = source.placeKey(keyOfNumber((at - offset) / size));
      leaf = walkToLeaf(source, walk, originals, start, start + ORDERED_BYTES);
      index = leaf === 0 ? -1 : stepIndex(memory, walk, 0);
      if (index < 0) throw vectorsDamaged('the vectors have a hole');
    }
    if (valueLength(memory, leaf, index) !== size) {
      throw vectorsDamaged('a stripe of vectors has another size');
    }
    const length = Math.min(size - offset, total - done);
    const start = valueAddress(memory, leaf, index) + offset;
    bytes.set(memory.u8.subarray(start, start + length), done);
    done += length;
  }
  return vector;
}
