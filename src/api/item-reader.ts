/**
 * What a lazy walk reads from: items in order, one leaf at a time.
 */
import { type IntegerMode, OVERFLOW_FLAG, type Value } from '../shared/bytes/value-codec.js';
import { decodeRecord } from '../shared/keyspaces/values.js';
import type { PageSource } from '../shared/pages/page-source.js';
import { valueAddress, valueLength } from '../shared/tree/node.js';

export interface ItemReader<T> {
  /** True while the leaf at hand has items left. */
  readonly hasRead: boolean;
  /** True when no leaf has to be read any more. */
  readonly isAtEnd: boolean;
  /** Reads the next leaf that has items. */
  readLeaf(): void;
  /** The next item of the leaf at hand. `readLate` is called for a value outside of the leaf. */
  take(readLate: (record: Uint8Array) => Value): { readonly item: T };
}

/** A value that is read only when its entry is asked for: it lies outside of the leaf. */
export class LateValue {
  readonly record: Uint8Array;
  constructor(record: Uint8Array) {
    this.record = record;
  }
}

/** The value of an entry, or where it lies. */
export function valueInLeaf(
  source: PageSource,
  leaf: number,
  index: number,
  integers: IntegerMode,
): Value | LateValue {
  const { memory } = source;
  const address = valueAddress(memory, leaf, index);
  const length = valueLength(memory, leaf, index);
  const isLate = ((memory.u8[address] as number) & OVERFLOW_FLAG) !== 0;
  if (isLate) return new LateValue(memory.u8.slice(address, address + length));
  return decodeRecord(source, address, length, integers);
}

export function finishValue(
  value: Value | LateValue,
  readLate: (record: Uint8Array) => Value,
): Value {
  return value instanceof LateValue ? readLate(value.record) : value;
}
