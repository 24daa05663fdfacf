/**
 * Entries of neighbouring nodes, taken out of their pages: what rebalance.ts deals out anew.
 *
 * Keys and values lie in one plain buffer, so that the pages they came from can be rewritten.
 */
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { entryCount, PAGE_HEADER_BYTES } from '../../shared/pages/page.js';
import {
  CHILD_BYTES,
  cellAddress,
  copyKey,
  isLeaf,
  SLOT_BYTES,
  VALUE_LENGTH_BYTES,
  valueAddress,
  valueLength,
} from '../../shared/tree/node.js';
import { cellBytes, initNode, insertEntry } from './node-edit.js';

export class EntryRun {
  level = 0;
  length = 0;
  #bytes = new Uint8Array(65536);
  #used = 0;
  readonly #keyStarts: number[] = [];
  readonly #keyEnds: number[] = [];
  readonly #valueEnds: number[] = [];

  reset(level: number): void {
    this.level = level;
    this.length = 0;
    this.#used = 0;
  }

  /** Appends one entry; `value` holds the record, or the child cell of a branch. */
  push(
    key: Uint8Array,
    keyOffset: number,
    keyEnd: number,
    value: Uint8Array,
    valueOffset: number,
    length: number,
  ): void {
    this.#reserve(keyEnd - keyOffset + length);
    const start = this.#used;
    for (let at = keyOffset; at < keyEnd; at++) this.#bytes[this.#used++] = key[at] as number;
    this.#finishEntry(start, value, valueOffset, length);
  }

  /** Appends the entries `from` to `to` of a node. */
  pushNode(memory: SharedMemory, node: number, from: number, to: number): void {
    const leaf = isLeaf(memory, node);
    for (let index = from; index < to; index++) {
      const length = leaf ? valueLength(memory, node, index) : CHILD_BYTES;
      this.#reserve(2048 + length);
      const start = this.#used;
      this.#used += copyKey(memory, node, index, this.#bytes, start);
      const address = leaf ? valueAddress(memory, node, index) : cellAddress(memory, node, index);
      this.#finishEntry(start, memory.u8, address, length);
    }
  }

  /** Appends the entries of another run. */
  pushRun(other: EntryRun): void {
    const bytes = other.#bytes;
    for (let index = 0; index < other.length; index++) {
      const start = other.#keyStarts[index] as number;
      const end = other.#keyEnds[index] as number;
      this.push(bytes, start, end, bytes, end, other.#valueLength(index));
    }
  }

  #reserve(count: number): void {
    if (this.#used + count <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * this.#bytes.length + count);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  #finishEntry(keyStart: number, value: Uint8Array, offset: number, length: number): void {
    const index = this.length++;
    this.#keyStarts[index] = keyStart;
    this.#keyEnds[index] = this.#used;
    this.#bytes.set(value.subarray(offset, offset + length), this.#used);
    this.#used += length;
    this.#valueEnds[index] = this.#used;
  }

  keyLength(index: number): number {
    return (this.#keyEnds[index] as number) - (this.#keyStarts[index] as number);
  }

  #valueLength(index: number): number {
    return (this.#valueEnds[index] as number) - (this.#keyEnds[index] as number);
  }

  /** A copy of the key. */
  key(index: number): Uint8Array {
    return this.#bytes.slice(this.#keyStarts[index] as number, this.#keyEnds[index] as number);
  }

  /** Bytes that an entry takes when no prefix is saved: the weight by which runs are divided. */
  weight(index: number): number {
    return SLOT_BYTES + VALUE_LENGTH_BYTES + this.keyLength(index) + this.#valueLength(index);
  }

  commonPrefix(a: number, b: number): number {
    const limit = Math.min(this.keyLength(a), this.keyLength(b));
    const startA = this.#keyStarts[a] as number;
    const startB = this.#keyStarts[b] as number;
    let length = 0;
    while (length < limit && this.#bytes[startA + length] === this.#bytes[startB + length])
      length++;
    return length;
  }

  /** Bytes of a page that holds the entries `from` to `to`. */
  encodedBytes(from: number, to: number): number {
    const prefix = this.commonPrefix(from, to - 1);
    let sum = PAGE_HEADER_BYTES + prefix;
    for (let index = from; index < to; index++) {
      const suffix = this.keyLength(index) - prefix;
      sum += SLOT_BYTES + cellBytes(this.level, suffix, this.#valueLength(index));
    }
    return sum;
  }

  /** Writes the entries `from` to `to` into a fresh node. */
  writeNode(memory: SharedMemory, node: number, from: number, to: number): void {
    const prefix = this.commonPrefix(from, to - 1);
    initNode(memory, node, this.level, this.#bytes, this.#keyStarts[from] as number, prefix);
    for (let index = from; index < to; index++) {
      const start = this.#keyStarts[index] as number;
      const end = this.#keyEnds[index] as number;
      const length = this.#valueLength(index);
      const at = entryCount(memory, node);
      const target = insertEntry(memory, node, at, this.#bytes, start, end, length);
      memory.u8.set(this.#bytes.subarray(end, end + length), target);
    }
  }

  /** Entries below the children `from` to `to`, or the entries themselves in a leaf. */
  countBelow(from: number, to: number): number {
    if (this.level === 0) return to - from;
    let sum = 0;
    for (let index = from; index < to; index++) {
      const at = (this.#keyEnds[index] as number) + 12;
      const bytes = this.#bytes;
      const low = (bytes[at] as number) + (bytes[at + 1] as number) * 2 ** 8;
      const middle = (bytes[at + 2] as number) * 2 ** 16 + (bytes[at + 3] as number) * 2 ** 24;
      sum += low + middle + (bytes[at + 4] as number) * 2 ** 32;
      sum += (bytes[at + 5] as number) * 2 ** 40;
    }
    return sum;
  }

  /** The shortest key that is above entry `index - 1` and not above entry `index`. */
  separator(index: number): Uint8Array {
    if (this.level > 0) return this.key(index);
    return this.key(index).slice(0, this.commonPrefix(index - 1, index) + 1);
  }
}
