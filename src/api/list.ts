/**
 * A list's handle: checks arguments, reads on the calling thread, sends writes.
 */
import { writeU32 } from '../shared/bytes/integers.js';
import {
  decodePayload,
  encodedBytesMax,
  encodeValue,
  type IntegerMode,
  type Value,
} from '../shared/bytes/value-codec.js';
import { invalidType } from '../shared/errors.js';
import type { KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import { findList, LIST, type ListPlace, nameKey } from '../shared/keyspaces/collection-names.js';
import { rankOfElement, readElement } from '../shared/keyspaces/list.js';
import * as messages from '../shared/memory/messages.js';
import type { PageSource } from '../shared/pages/page-source.js';
import { RankWalk } from '../shared/tree/rank-walk.js';
import type { Core } from './core.js';
import { ItemBuffer } from './item-buffer.js';
import { ItemIteration, readLateValue } from './item-iteration.js';
import { finishValue, type ItemReader, type LateValue, valueInLeaf } from './item-reader.js';
import { type Key, keyBytes } from './keys.js';
import { isLongValue, type KeyspaceAccess } from './keyspace-access.js';
import { RangeIterator } from './range-iterator.js';
import { checkRank, clampRanks } from './ranks.js';

const items = new ItemBuffer();

/** Values in a row, which grows and shrinks at both ends. An empty list does not exist. */
export class List {
  readonly #core: Core;
  readonly #access: KeyspaceAccess;
  readonly #integers: IntegerMode;
  readonly #name: Uint8Array;
  /** What was last looked up, and in which record. */
  #seenRecord: KeyspaceRecord | undefined;
  #seenPlace: ListPlace | undefined;

  /** @internal */
  constructor(core: Core, access: KeyspaceAccess, integers: IntegerMode, name: Key) {
    this.#core = core;
    this.#access = access;
    this.#integers = integers;
    this.#name = nameKey(LIST, keyBytes(name, 'text'));
  }

  /** Appends values; returns how many the list has then. */
  rpush(...values: Value[]): number {
    return this.#push(values, 0);
  }

  /** Puts values in front, one by one: the last of them is the first then. */
  lpush(...values: Value[]): number {
    return this.#push(values, messages.AT_HEAD);
  }

  /** Removes the last value and returns it; undefined when the list is empty. */
  rpop(): Value | undefined {
    return this.#pop(0);
  }

  /** Removes the first value and returns it; undefined when the list is empty. */
  lpop(): Value | undefined {
    return this.#pop(messages.AT_HEAD);
  }

  /** Removes the whole list; returns its length. */
  clear(): number {
    this.#access.assertWritable();
    return this.#number(this.#send(messages.CLEAR, 0, NO_BYTES));
  }

  /** How many values there are. */
  len(): number {
    this.#access.assertReadable();
    return this.#read((_, { head, tail }) => tail - head) ?? 0;
  }

  /** The value at an index; negative ones count from the end. O(log n). */
  index(index: number): Value | undefined {
    checkRank('index', index);
    this.#access.assertReadable();
    const { source } = this.#core;
    return this.#read((record, { id, head, tail }) => {
      const position = index < 0 ? tail + index : head + index;
      if (position < head || position >= tail) return undefined;
      return readElement(source.of(record), record, id, position, this.#integers);
    });
  }

  /** The values from `start` to `stop`, both included; negative ones count from the end. */
  range(start = 0, stop = -1): Value[] {
    checkRank('start', start);
    checkRank('stop', stop);
    this.#access.assertReadable();
    const { source } = this.#core;
    const values = this.#read((record, place) => {
      const { from, count } = clampRanks(start, stop, place.tail - place.head);
      const reader = new ElementReader(
        source.of(record),
        record,
        place,
        from,
        count,
        this.#integers,
      );
      return reader.readAll();
    });
    return values ?? [];
  }

  /** All values from the first to the last, read lazily from one snapshot. */
  [Symbol.iterator](): RangeIterator<Value> {
    this.#access.assertReadable();
    const { source } = this.#core;
    const open = (record: KeyspaceRecord) => {
      const place = findList(source.of(record), record.names, this.#name);
      if (place === undefined) return undefined;
      const count = place.tail - place.head;
      return new ElementReader(source.of(record), record, place, 0, count, this.#integers);
    };
    return new RangeIterator(new ItemIteration(this.#core, this.#access, this.#integers, open));
  }

  #push(values: readonly Value[], flags: number): number {
    this.#access.assertWritable();
    if (values.length === 0) throw invalidType('values', 'one value or more', undefined);
    if (values.some(isLongValue)) return this.#pushLong(values, flags);
    items.clear();
    for (const value of values) addValue(value);
    let length = 0;
    this.#access.sendParts(items.parts(), (part) => {
      length = this.#number(this.#send(messages.PUSH, flags, part));
    });
    return length;
  }

  /** Values so long that they have to be sent in parts go one by one, in one transaction. */
  #pushLong(values: readonly Value[], flags: number): number {
    for (const value of values) this.#access.checkValue(value);
    return this.#core.transactions.run(() => {
      let length = 0;
      for (const value of values) {
        if (!isLongValue(value)) length = this.#push([value], flags);
        else {
          length = this.#number(
            this.#access.sendLong({ code: messages.PUSH, flags, number: 0 }, this.#name, value),
          );
        }
      }
      return length;
    });
  }

  #pop(flags: number): Value | undefined {
    this.#access.assertWritable();
    const at = this.#send(messages.POP, flags, NO_BYTES);
    const state = this.#number(at);
    if (state === messages.POPPED_NOTHING) return undefined;
    if (state === messages.POPPED_LONG) return this.#popLong(flags);
    const { memory, writer } = this.#core;
    const record = at + 8;
    const tag = memory.u8[record] as number;
    return decodePayload(tag, memory.text, record + 1, writer.answerLength - 9, this.#integers);
  }

  /** Reads a long value before it goes, in one transaction. */
  #popLong(flags: number): Value | undefined {
    return this.#core.transactions.run(() => {
      const value = this.index(flags === messages.AT_HEAD ? 0 : -1);
      this.#send(messages.POP, flags | messages.LONG_TOO, NO_BYTES);
      return value;
    });
  }

  #send(code: number, flags: number, part: Uint8Array): number {
    return this.#access.sendBytes({ code, flags, number: 0 }, this.#name, part);
  }

  #number(address: number): number {
    return this.#core.memory.f64[address >>> 3] as number;
  }

  /** Reads the list, if there is one, in the state that the handle sees. */
  #read<T>(read: (record: KeyspaceRecord, place: ListPlace) => T | undefined): T | undefined {
    return this.#access.read(() => {
      const record = this.#access.record();
      if (record === undefined) return undefined;
      if (record !== this.#seenRecord) {
        this.#seenPlace = findList(this.#core.source.of(record), record.names, this.#name);
        this.#seenRecord = record;
      }
      return this.#seenPlace === undefined ? undefined : read(record, this.#seenPlace);
    });
  }
}

const NO_BYTES = new Uint8Array(0);

/** Reads `count` elements of a list from an index on. */
class ElementReader implements ItemReader<Value> {
  readonly #source: PageSource;
  readonly #integers: IntegerMode;
  readonly #walk: RankWalk;
  #values: (Value | LateValue)[] = [];
  #position = 0;

  constructor(
    source: PageSource,
    record: KeyspaceRecord,
    { id, head }: ListPlace,
    index: number,
    count: number,
    integers: IntegerMode,
  ) {
    this.#source = source;
    this.#integers = integers;
    const start = rankOfElement(source, record, id, head + index);
    this.#walk = new RankWalk(source, record.elements, start, start + count, false);
  }

  get hasRead(): boolean {
    return this.#position < this.#values.length;
  }

  get isAtEnd(): boolean {
    return this.#walk.isAtEnd;
  }

  readLeaf(): void {
    this.#values = [];
    this.#position = 0;
    if (!this.isAtEnd) this.#appendLeaf();
  }

  #appendLeaf(): void {
    const { leaf, index, step, count } = this.#walk.nextLeaf();
    for (let entry = 0; entry < count; entry++) {
      this.#values.push(valueInLeaf(this.#source, leaf, index + entry * step, this.#integers));
    }
  }

  take(readLate: (record: Uint8Array) => Value): { readonly item: Value } {
    return { item: finishValue(this.#values[this.#position++] as Value | LateValue, readLate) };
  }

  readAll(): Value[] {
    while (!this.isAtEnd) this.#appendLeaf();
    const readLate = (record: Uint8Array) => readLateValue(this.#source, record, this.#integers);
    return this.#values.map((value) => finishValue(value, readLate));
  }
}

function addValue(value: Value): void {
  const at = items.reserve(4 + encodedBytesMax(value));
  const { bytes } = items;
  const length = encodeValue(value, bytes, at + 4);
  writeU32(bytes, at, length);
  items.add(4 + length);
}
