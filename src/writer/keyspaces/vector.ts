/**
 * Vectors: mutations. shared/keyspaces/vector.ts draws the trees.
 */
import { assert } from '../../shared/assert.js';
import { compareBytes } from '../../shared/bytes/compare.js';
import { readU48, writeU48 } from '../../shared/bytes/integers.js';
import { ORDERED_BYTES } from '../../shared/bytes/ordered-key.js';
import {
  rowsBytes,
  type VectorLayout,
  vectorLayout,
  writeRows,
} from '../../shared/bytes/vector-codes.js';
import { MnemeError } from '../../shared/errors.js';
import type { KeyspaceRecord } from '../../shared/keyspaces/catalog.js';
import {
  codeEntryCount,
  keyOfNumber,
  keyOfSlot,
  readOriginal,
  SLOT_RECORD_BYTES,
  stripeBytes,
  stripeCount,
  stripeParts,
  vectorsDamaged,
} from '../../shared/keyspaces/vector.js';
import { VECTOR_COUNT_MAX } from '../../shared/limits.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { valueLength } from '../../shared/tree/node.js';
import type { Tree } from '../../shared/tree-root.js';
import type { KeyspaceHost } from './keyspace-host.js';
import type { OpenKeyspace } from './open-keyspace.js';
import { firstKeyFrom, removeRange } from './range-removal.js';
import type { KeyRange } from './values.js';

const FLOAT_BYTES = 4;
const NO_KEY = new Uint8Array(0);

/** The layout of a dimension, and room for a vector of it: its numbers, and its rows of codes. */
interface Shape {
  readonly layout: VectorLayout;
  readonly vector: Float32Array<ArrayBuffer>;
  /** The bytes of `vector`. */
  readonly numbers: Uint8Array;
  readonly rows: Uint8Array;
}

function newShape(dimension: number, nodeBytes: number): Shape {
  const layout = vectorLayout(dimension, nodeBytes);
  const vector = new Float32Array(dimension);
  const numbers = new Uint8Array(vector.buffer);
  return { layout, vector, numbers, rows: new Uint8Array(rowsBytes(layout)) };
}

export class VectorsWriter {
  readonly #engine: KeyspaceHost;
  readonly #memory: SharedMemory;
  readonly #slot = new Uint8Array(SLOT_RECORD_BYTES);
  readonly #record: Uint8Array;
  #shape: Shape;

  constructor(engine: KeyspaceHost) {
    this.#engine = engine;
    this.#memory = engine.memory;
    this.#shape = newShape(1, this.#memory.nodeBytes);
    this.#record = new Uint8Array(this.#memory.nodeBytes);
  }

  /** Gives a key the vector whose float32 numbers lie in the shared memory's `[start, end)`. */
  set(keyspace: OpenKeyspace, key: KeyRange, start: number, end: number): void {
    const { record } = keyspace;
    const actual = (end - start) / FLOAT_BYTES;
    if (record.dimension !== 0 && record.dimension !== actual) {
      const expected = record.dimension;
      throw new MnemeError('ERR_MNEME_DIMENSION_MISMATCH', { expected, actual });
    }
    record.dimension = actual;
    keyspace.changed = true;
    const { numbers } = this.#shapeOf(actual);
    numbers.set(this.#memory.u8.subarray(start, end));
    this.#write(record, this.#slotFor(record, key));
  }

  /** What belongs to a dimension; most vectors in a row have the same. */
  #shapeOf(dimension: number): Shape {
    if (this.#shape.layout.dimension !== dimension) {
      this.#shape = newShape(dimension, this.#memory.nodeBytes);
    }
    return this.#shape;
  }

  /** The slot of a key, a new one when it has none. */
  #slotFor(record: KeyspaceRecord, key: KeyRange): number {
    const { trees } = this.#engine;
    const { vectorSlots, vectorKeys } = record;
    const address = trees.locate(vectorSlots, key.bytes, key.start, key.end);
    if (address !== 0) return readU48(this.#memory.u8, address);
    const slot = vectorSlots.count;
    assert(slot < VECTOR_COUNT_MAX, 'a slot fits 31 bits');
    writeU48(this.#slot, 0, slot);
    trees.put(vectorSlots, this.#slot, 0, SLOT_RECORD_BYTES);
    this.#locate(vectorKeys, slot);
    trees.put(vectorKeys, key.bytes, key.start, key.end - key.start);
    return slot;
  }

  #locate(tree: Readonly<Tree>, number: number): number {
    return this.#engine.trees.locate(tree, keyOfNumber(number), 0, ORDERED_BYTES);
  }

  /** Writes codes and numbers of the vector that is in its place to a slot. */
  #write(record: KeyspaceRecord, slot: number): void {
    const { nodeBytes } = this.#memory;
    const { codes, originals, dimension } = record;
    const { layout, vector, rows, numbers } = this.#shapeOf(dimension);
    const { segments, stride, rowsPerEntry, entryBytes } = layout;
    writeRows(layout, vector, rows);
    const first = Math.floor(slot / rowsPerEntry) * segments;
    for (let segment = 0; segment < segments; segment++) {
      const bytes = rows.subarray(segment * stride, (segment + 1) * stride);
      const offset = (slot % rowsPerEntry) * stride;
      this.#patch(codes, first + segment, entryBytes, offset, bytes);
    }
    for (const { stripe, inStripe, inVector, length } of stripeParts(slot, dimension, nodeBytes)) {
      const bytes = numbers.subarray(inVector, inVector + length);
      this.#patch(originals, stripe, stripeBytes(nodeBytes), inStripe, bytes);
    }
  }

  /** Changes a part of a record, which is zero where nothing was written yet. */
  #patch(tree: Tree, number: number, size: number, offset: number, bytes: Uint8Array): void {
    const { trees } = this.#engine;
    if (this.#locate(tree, number) === 0) {
      const record = this.#record;
      record.fill(0, 0, size);
      record.set(bytes, offset);
      trees.put(tree, record, 0, size);
    } else if (valueLength(this.#memory, trees.leafAddress, trees.leafIndex) !== size) {
      throw vectorsDamaged('a record of vectors has another size');
    } else trees.patch(tree, offset, bytes);
  }

  /** True when the key had a vector. */
  delete(keyspace: OpenKeyspace, key: KeyRange): boolean {
    const { trees, source } = this.#engine;
    const { record } = keyspace;
    const { vectorSlots, vectorKeys } = record;
    const address = trees.locate(vectorSlots, key.bytes, key.start, key.end);
    if (address === 0) return false;
    const slot = readU48(this.#memory.u8, address);
    const last = vectorSlots.count - 1;
    keyspace.changed = true;
    trees.remove(vectorSlots);
    if (slot !== last) {
      const moved = keyOfSlot(source, record, last);
      const { vector } = this.#shapeOf(record.dimension);
      readOriginal(source, record, last, vector);
      if (trees.locate(vectorSlots, moved, 0, moved.length) === 0) {
        throw vectorsDamaged('a key of a vector has no slot');
      }
      writeU48(this.#slot, 0, slot);
      trees.put(vectorSlots, this.#slot, 0, SLOT_RECORD_BYTES);
      if (this.#locate(vectorKeys, slot) === 0) throw vectorsDamaged('the vectors have a hole');
      trees.put(vectorKeys, moved, 0, moved.length);
      this.#write(record, slot);
    }
    this.#truncate(vectorKeys, last);
    this.#cutTail(record, last);
    return true;
  }

  /** Removes the records of the numbers from `count` on. */
  #truncate(tree: Tree, count: number): void {
    for (let number = tree.count - 1; number >= count; number--) {
      if (this.#locate(tree, number) === 0) throw vectorsDamaged('the vectors have a hole');
      this.#engine.trees.remove(tree);
    }
  }

  /** Removes what lies behind the last of `count` slots, and zeroes it where others are before. */
  #cutTail({ codes, originals, dimension }: KeyspaceRecord, count: number): void {
    const { nodeBytes } = this.#memory;
    const { layout } = this.#shapeOf(dimension);
    const { rowsPerEntry, stride, entryBytes } = layout;
    this.#truncate(codes, codeEntryCount(layout, count));
    const left = count % rowsPerEntry;
    if (left !== 0) {
      const bytes = new Uint8Array(entryBytes - left * stride);
      this.#patch(codes, codes.count - 1, entryBytes, left * stride, bytes);
    }
    const size = stripeBytes(nodeBytes);
    this.#truncate(originals, stripeCount(dimension, count, nodeBytes));
    const offset = (count * dimension * FLOAT_BYTES) % size;
    if (offset !== 0) {
      const bytes = new Uint8Array(size - offset);
      this.#patch(originals, originals.count - 1, size, offset, bytes);
    }
  }

  /** Removes the vectors of the keys from `low` up to, not including, `high`. */
  deleteRange(keyspace: OpenKeyspace, low: Uint8Array, high: Uint8Array | undefined): void {
    const engine = this.#engine;
    const { vectorSlots, vectorKeys, codes, originals } = keyspace.record;
    if (vectorSlots.level < 0) return;
    if (low.length === 0 && high === undefined) {
      for (const tree of [vectorSlots, vectorKeys, codes, originals]) {
        removeRange(engine, { tree, low: NO_KEY, high: undefined });
      }
      keyspace.changed = true;
      return;
    }
    for (;;) {
      const key = firstKeyFrom(engine, vectorSlots, low);
      if (key === undefined || (high !== undefined && compareBytes(key, high) >= 0)) return;
      this.delete(keyspace, { bytes: key, start: 0, end: key.length });
      engine.relieveCache();
    }
  }
}
