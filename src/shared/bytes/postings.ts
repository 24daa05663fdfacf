/**
 * Blocks of postings: in which documents a term stands, how often, and how long these are.
 *
 *   offset  size  field of a block
 *        0     1  count - 1: postings, 1 to 128
 *        1     1  bits 0-1 width of a distance, 2-3 of a frequency, 4-5 of a length, 6-7 bounds - 1
 *        2     2  reserved
 *        4     4  the number of the first document
 *        8        bounds: a frequency and a length each
 *     then        distances of the documents from the first, rising
 *     then        frequencies, not there when all are 1
 *     then        lengths of the documents, in terms
 *
 * A width is 1, 2 or 4 bytes by its code 1, 2, 3; code 0 is a frequency that is 1 and takes none.
 * Distances stand by themselves rather than as gaps, so that one of them is found without the
 * others. A length stands with each posting, so that a score needs nothing but the block.
 *
 * BM25 rises with the frequency and falls with the length, for any k1 and b. So the score of no
 * posting of a block is above the best one of the block's bounds: of every posting there is a bound
 * with at least its frequency and at most its length.
 */

import { MnemeError } from '../errors.js';
import { readU16, readU32, writeU16, writeU32 } from './integers.js';

export const BLOCK_POSTINGS_MAX = 128;
export const BLOCK_HEADER_BYTES = 8;
const BOUNDS_MAX = 4;
/** Bytes by code. */
const WIDTHS = [0, 1, 2, 4] as const;
export const BLOCK_BYTES_MAX = BLOCK_HEADER_BYTES + (BOUNDS_MAX * 2 + BLOCK_POSTINGS_MAX * 3) * 4;

/** Postings in rising order of their documents; arrays that are longer than what is used. */
export class PostingList {
  numbers: Uint32Array;
  frequencies: Uint32Array;
  lengths: Uint32Array;
  count = 0;

  constructor(capacity = 2 * BLOCK_POSTINGS_MAX) {
    this.numbers = new Uint32Array(capacity);
    this.frequencies = new Uint32Array(capacity);
    this.lengths = new Uint32Array(capacity);
  }

  add(number: number, frequency: number, length: number): void {
    if (this.count === this.numbers.length) this.#grow();
    this.numbers[this.count] = number;
    this.frequencies[this.count] = frequency;
    this.lengths[this.count++] = length;
  }

  #grow(): void {
    for (const name of ['numbers', 'frequencies', 'lengths'] as const) {
      const larger = new Uint32Array(2 * this[name].length);
      larger.set(this[name]);
      this[name] = larger;
    }
  }
}

function widthCode(max: number): number {
  if (max < 2 ** 8) return 1;
  return max < 2 ** 16 ? 2 : 3;
}

function writeWide(bytes: Uint8Array, at: number, code: number, value: number): number {
  if (code === 1) bytes[at] = value;
  else if (code === 2) writeU16(bytes, at, value);
  else if (code === 3) writeU32(bytes, at, value);
  return at + (WIDTHS[code] as number);
}

function readWide(bytes: Uint8Array, at: number, code: number): number {
  if (code === 1) return bytes[at] as number;
  if (code === 2) return readU16(bytes, at);
  return code === 3 ? readU32(bytes, at) : 1;
}

/** A frequency and a length that no posting of some is better than. */
interface Bound {
  frequency: number;
  length: number;
}

/** By frequency the shortest length plus 1, 0 where there is none; for `frontier` alone. */
const shortestOf = new Uint32Array(256);

/** The postings that no other one has at least the frequency and at most the length of. */
function frontier(list: PostingList, from: number, to: number): Bound[] {
  const { frequencies, lengths } = list;
  const bounds: Bound[] = [];
  const frequent: Bound[] = [];
  let most = 0;
  for (let at = from; at < to; at++) {
    const frequency = frequencies[at] as number;
    const length = lengths[at] as number;
    if (frequency >= shortestOf.length) frequent.push({ frequency, length });
    else {
      const known = shortestOf[frequency] as number;
      if (known === 0 || length + 1 < known) shortestOf[frequency] = length + 1;
      most = Math.max(most, frequency);
    }
  }
  frequent.sort((a, b) => b.frequency - a.frequency || a.length - b.length);
  let least = Number.POSITIVE_INFINITY;
  const add = (frequency: number, length: number) => {
    if (length < least) bounds.push({ frequency, length });
    least = Math.min(least, length);
  };
  for (const { frequency, length } of frequent) add(frequency, length);
  for (let frequency = most; frequency > 0; frequency--) {
    const length = shortestOf[frequency] as number;
    if (length > 0) add(frequency, length - 1);
  }
  shortestOf.fill(0, 0, most + 1);
  return bounds;
}

/** Joins neighbours that differ least, until there are few enough. */
function boundsOf(list: PostingList, from: number, to: number): Bound[] {
  const bounds = frontier(list, from, to);
  while (bounds.length > BOUNDS_MAX) {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let at = 0; at + 1 < bounds.length; at++) {
      const [a, b] = [bounds[at] as Bound, bounds[at + 1] as Bound];
      const loss = (a.frequency / b.frequency) * (a.length / b.length);
      if (loss < least) [best, least] = [at, loss];
    }
    const { frequency } = bounds[best] as Bound;
    const { length } = bounds[best + 1] as Bound;
    bounds.splice(best, 2, { frequency, length });
  }
  return bounds;
}

/** Frequencies that are all 1, as most are, have one bound: found without a map. */
function onlyBound(list: PostingList, from: number, to: number): Bound[] | undefined {
  let length = list.lengths[from] as number;
  for (let at = from; at < to; at++) {
    if (list.frequencies[at] !== 1) return undefined;
    length = Math.min(length, list.lengths[at] as number);
  }
  return [{ frequency: 1, length }];
}

/** Writes the postings `from` to `to` as a block; returns where it ends. */
export function encodeBlock(
  list: PostingList,
  from: number,
  to: number,
  target: Uint8Array,
  offset: number,
): number {
  const { numbers, frequencies, lengths } = list;
  const first = numbers[from] as number;
  const bounds = onlyBound(list, from, to) ?? boundsOf(list, from, to);
  let lengthMax = 0;
  for (let at = from; at < to; at++) lengthMax = Math.max(lengthMax, lengths[at] as number);
  const frequencyMax = (bounds[0] as Bound).frequency;
  const distanceCode = widthCode((numbers[to - 1] as number) - first);
  const frequencyCode = frequencyMax === 1 ? 0 : widthCode(frequencyMax);
  const lengthCode = widthCode(lengthMax);
  target[offset] = to - from - 1;
  target[offset + 1] =
    distanceCode | (frequencyCode << 2) | (lengthCode << 4) | ((bounds.length - 1) << 6);
  writeU16(target, offset + 2, 0);
  writeU32(target, offset + 4, first);
  let at = offset + BLOCK_HEADER_BYTES;
  for (const { frequency, length } of bounds) {
    at = writeWide(target, at, frequencyCode, frequency);
    at = writeWide(target, at, lengthCode, length);
  }
  for (let index = from; index < to; index++) {
    at = writeWide(target, at, distanceCode, (numbers[index] as number) - first);
  }
  if (frequencyCode !== 0) {
    for (let index = from; index < to; index++) {
      at = writeWide(target, at, frequencyCode, frequencies[index] as number);
    }
  }
  for (let index = from; index < to; index++) {
    at = writeWide(target, at, lengthCode, lengths[index] as number);
  }
  return at;
}

/** Where the parts of a block lie. */
export interface BlockPlace {
  count: number;
  first: number;
  last: number;
  distanceCode: number;
  frequencyCode: number;
  lengthCode: number;
  boundCount: number;
  bounds: number;
  distances: number;
  frequencies: number;
  lengths: number;
  end: number;
}

export function newBlockPlace(): BlockPlace {
  return {
    count: 0,
    first: 0,
    last: 0,
    distanceCode: 0,
    frequencyCode: 0,
    lengthCode: 0,
    boundCount: 0,
    bounds: 0,
    distances: 0,
    frequencies: 0,
    lengths: 0,
    end: 0,
  };
}

export function textDamaged(reason: string): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', { reason });
}

/**
 * Finds the parts of the block in `[offset, end)`.
 * @throws {MnemeError} `ERR_MNEME_CORRUPT` when it does not end there.
 */
export function readBlock(
  bytes: Uint8Array,
  offset: number,
  end: number,
  place: BlockPlace,
): BlockPlace {
  if (end - offset < BLOCK_HEADER_BYTES) throw textDamaged('a block of postings is too short');
  const codes = bytes[offset + 1] as number;
  place.count = (bytes[offset] as number) + 1;
  place.distanceCode = codes & 3;
  place.frequencyCode = (codes >>> 2) & 3;
  place.lengthCode = (codes >>> 4) & 3;
  place.boundCount = (codes >>> 6) + 1;
  const distanceBytes = WIDTHS[place.distanceCode] as number;
  const frequencyBytes = WIDTHS[place.frequencyCode] as number;
  const lengthBytes = WIDTHS[place.lengthCode] as number;
  place.first = readU32(bytes, offset + 4);
  place.bounds = offset + BLOCK_HEADER_BYTES;
  place.distances = place.bounds + place.boundCount * (frequencyBytes + lengthBytes);
  place.frequencies = place.distances + place.count * distanceBytes;
  place.lengths = place.frequencies + place.count * frequencyBytes;
  place.end = place.lengths + place.count * lengthBytes;
  const isWhole = place.distanceCode !== 0 && place.lengthCode !== 0;
  if (!isWhole || place.count > BLOCK_POSTINGS_MAX || place.end !== end) {
    throw textDamaged('a block of postings has another length');
  }
  const lastAt = place.frequencies - distanceBytes;
  place.last = place.first + readWide(bytes, lastAt, place.distanceCode);
  return place;
}

/** The frequency of a posting of a block. */
export function blockFrequency(bytes: Uint8Array, place: BlockPlace, index: number): number {
  const width = WIDTHS[place.frequencyCode] as number;
  return readWide(bytes, place.frequencies + index * width, place.frequencyCode);
}

/** The length of the document of a posting of a block. */
export function blockLength(bytes: Uint8Array, place: BlockPlace, index: number): number {
  const width = WIDTHS[place.lengthCode] as number;
  return readWide(bytes, place.lengths + index * width, place.lengthCode);
}

export function blockNumber(bytes: Uint8Array, place: BlockPlace, index: number): number {
  const width = WIDTHS[place.distanceCode] as number;
  return place.first + readWide(bytes, place.distances + index * width, place.distanceCode);
}

/** The posting of a document in a block, or -1 when it has none. */
export function findInBlock(bytes: Uint8Array, place: BlockPlace, number: number): number {
  let [low, high] = [0, place.count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = blockNumber(bytes, place, middle);
    if (found === number) return middle;
    if (found < number) low = middle + 1;
    else high = middle;
  }
  return -1;
}

/** Shows the bounds of a block: frequency and length. */
export function bestBound(
  bytes: Uint8Array,
  place: BlockPlace,
  score: (frequency: number, length: number) => number,
): number {
  let best = 0;
  let at = place.bounds;
  for (let bound = 0; bound < place.boundCount; bound++) {
    const frequency = readWide(bytes, at, place.frequencyCode);
    at += WIDTHS[place.frequencyCode] as number;
    best = Math.max(best, score(frequency, readWide(bytes, at, place.lengthCode)));
    at += WIDTHS[place.lengthCode] as number;
  }
  return best;
}

/** Appends the postings of a block to a list. */
export function appendBlock(bytes: Uint8Array, place: BlockPlace, list: PostingList): void {
  for (let index = 0; index < place.count; index++) {
    const frequency = blockFrequency(bytes, place, index);
    list.add(blockNumber(bytes, place, index), frequency, blockLength(bytes, place, index));
  }
}
