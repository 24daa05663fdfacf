/**
 * Lists: mutations.
 *
 * The values to be pushed lie in the shared memory as items one behind another:
 *
 *   offset  size  field of an item
 *        0     4  length of what follows
 *        4        tag and payload (value-codec.ts)
 */
import { readU32 } from '../../shared/bytes/integers.js';
import {
  ORDERED_BYTES,
  writeOrderedId,
  writeOrderedInteger,
} from '../../shared/bytes/ordered-key.js';
import { OVERFLOW_FLAG, payloadOffset, RECORD_BYTES_MIN } from '../../shared/bytes/value-codec.js';
import {
  decodeList,
  LIST_NAME_BYTES,
  type ListPlace,
} from '../../shared/keyspaces/collection-names.js';
import { ELEMENT_KEY_BYTES, elementKeyOf, elementMissing } from '../../shared/keyspaces/list.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import type { ExtentPointer } from '../../shared/pages/overflow-page.js';
import { valueAddress, valueLength } from '../../shared/tree/node.js';
import type { KeyspaceHost } from './keyspace-host.js';
import type { OpenKeyspace } from './open-keyspace.js';
import { removeRange } from './range-removal.js';
import type { KeyRange } from './values.js';

const LENGTH_BYTES = 4;

/** Which end of a list. */
export interface ListEnd {
  readonly atHead: boolean;
}

export class ListWriter {
  readonly #engine: KeyspaceHost;
  readonly #memory: SharedMemory;
  readonly #name = new Uint8Array(LIST_NAME_BYTES);

  constructor(engine: KeyspaceHost) {
    this.#engine = engine;
    this.#memory = engine.memory;
  }

  /** Pushes the values one by one; returns how many the list has then. */
  push(keyspace: OpenKeyspace, name: KeyRange, end: number, { atHead }: ListEnd): number {
    const { u8 } = this.#memory;
    let count = 0;
    for (let at = name.end; at < end; count++) at += LENGTH_BYTES + readU32(u8, at);
    const { id, position, length } = this.#extend(keyspace, name, count, atHead);
    let next = position;
    for (let at = name.end; at < end; ) {
      const start = at + LENGTH_BYTES;
      at = start + readU32(u8, at);
      this.#putElement(keyspace, elementKeyOf(id, next), start, at);
      next += atHead ? -1 : 1;
      this.#engine.relieveCache();
    }
    return length;
  }

  /** Pushes one value whose extents are written already. */
  pushExtents(
    keyspace: OpenKeyspace,
    name: KeyRange,
    tag: number,
    extents: readonly ExtentPointer[],
    length: number,
    { atHead }: ListEnd,
  ): number {
    const extended = this.#extend(keyspace, name, 1, atHead);
    const key = elementKeyOf(extended.id, extended.position);
    this.#putOverflow(keyspace, key, tag, extents, length);
    return extended.length;
  }

  /**
   * Removes the element at an end and returns its record; undefined when there is none. One that
   * has extents goes only when `mayHaveExtents`; else its record is returned and it stays.
   */
  pop(
    keyspace: OpenKeyspace,
    name: KeyRange,
    { atHead }: ListEnd,
    mayHaveExtents: boolean,
  ): Uint8Array | undefined {
    const { trees, overflow } = this.#engine;
    const { u8 } = this.#memory;
    const { record } = keyspace;
    const place = this.#find(keyspace, name);
    if (place === undefined) return undefined;
    const { id, head, tail } = place;
    const key = elementKeyOf(id, atHead ? head : tail - 1);
    const address = trees.locate(record.elements, key, 0, key.length);
    if (address === 0) throw elementMissing();
    const length = valueLength(this.#memory, trees.leafAddress, trees.leafIndex);
    const value = u8.slice(address, address + length);
    if (((value[0] as number) & OVERFLOW_FLAG) !== 0) {
      if (!mayHaveExtents) return value;
      record.elementPages -= overflow.free(value, payloadOffset(value, 0));
    }
    trees.remove(record.elements);
    keyspace.changed = true;
    this.#setBounds(keyspace, name, id, atHead ? head + 1 : head, atHead ? tail : tail - 1);
    return value;
  }

  /** Removes a whole list; returns its length. */
  clear(keyspace: OpenKeyspace, name: KeyRange): number {
    const place = this.#find(keyspace, name);
    if (place === undefined) return 0;
    const { id, head, tail } = place;
    const low = elementKeyOf(id, head).slice();
    const high = elementKeyOf(id, tail).slice();
    const { elements: tree, elementPages } = keyspace.record;
    const look = (leaf: number, from: number, to: number) => {
      this.#freeExtents(keyspace, leaf, from, to);
      return () => undefined;
    };
    removeRange(this.#engine, elementPages > 0 ? { tree, low, high, look } : { tree, low, high });
    keyspace.changed = true;
    this.#setBounds(keyspace, name, id, tail, tail);
    return tail - head;
  }

  #freeExtents({ record }: OpenKeyspace, leaf: number, from: number, to: number): void {
    const memory = this.#memory;
    const extents: number[] = [];
    for (let index = from; index < to; index++) {
      const address = valueAddress(memory, leaf, index);
      if (((memory.u8[address] as number) & OVERFLOW_FLAG) === 0) continue;
      extents.push(payloadOffset(memory.u8, address));
    }
    const { overflow } = this.#engine;
    for (const payload of extents) record.elementPages -= overflow.free(memory.u8, payload);
  }

  /** Where the list stands; its name's place stays known. */
  #find({ record }: OpenKeyspace, name: KeyRange): ListPlace | undefined {
    const { trees } = this.#engine;
    const address = trees.locate(record.names, name.bytes, name.start, name.end);
    if (address === 0) return undefined;
    const length = valueLength(this.#memory, trees.leafAddress, trees.leafIndex);
    return decodeList(this.#memory.u8, address, length);
  }

  /** Makes room for elements at an end; says where the first goes and how long the list is. */
  #extend(keyspace: OpenKeyspace, name: KeyRange, count: number, atHead: boolean) {
    const found = this.#find(keyspace, name);
    const { id, head, tail } = found ?? { id: ++keyspace.record.lastId, head: 0, tail: 0 };
    const newHead = atHead ? head - count : head;
    const newTail = atHead ? tail : tail + count;
    this.#putBounds(keyspace, id, newHead, newTail);
    return { id, position: atHead ? head - 1 : tail, length: newTail - newHead };
  }

  #setBounds(keyspace: OpenKeyspace, name: KeyRange, id: number, head: number, tail: number): void {
    const { names } = keyspace.record;
    const { trees } = this.#engine;
    trees.locate(names, name.bytes, name.start, name.end);
    if (head < tail) this.#putBounds(keyspace, id, head, tail);
    else trees.remove(names);
  }

  /** Puts the name's record where the name was looked for. */
  #putBounds(keyspace: OpenKeyspace, id: number, head: number, tail: number): void {
    const bytes = this.#name;
    writeOrderedId(bytes, 0, id);
    writeOrderedInteger(bytes, ORDERED_BYTES, head);
    writeOrderedInteger(bytes, 2 * ORDERED_BYTES, tail);
    this.#engine.trees.put(keyspace.record.names, bytes, 0, bytes.length);
    keyspace.changed = true;
  }

  #putElement(keyspace: OpenKeyspace, key: Uint8Array, start: number, end: number): void {
    const { u8, nodeBytes } = this.#memory;
    const { trees, overflow } = this.#engine;
    const length = end - start;
    if (length <= RECORD_BYTES_MIN || ELEMENT_KEY_BYTES + length <= nodeBytes / 4) {
      trees.locate(keyspace.record.elements, key, 0, key.length);
      trees.put(keyspace.record.elements, u8, start, length);
      return;
    }
    const extents = overflow.writeExtents(u8, start + 1, end);
    this.#putOverflow(keyspace, key, u8[start] as number, extents, length - 1);
  }

  #putOverflow(
    { record }: OpenKeyspace,
    key: Uint8Array,
    tag: number,
    extents: readonly ExtentPointer[],
    length: number,
  ): void {
    const { trees, overflow } = this.#engine;
    const payload = overflow.finish(extents, length);
    const bytes = new Uint8Array(1 + payload.length);
    bytes[0] = tag | OVERFLOW_FLAG;
    bytes.set(payload, 1);
    trees.locate(record.elements, key, 0, key.length);
    trees.put(record.elements, bytes, 0, bytes.length);
    record.elementPages += overflow.pagesOf(length);
  }
}
