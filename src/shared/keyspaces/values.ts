/**
 * The tree of plain values: key -> record (value-codec.ts). Reads.
 */
import {
  decodePayload,
  type IntegerMode,
  OVERFLOW_FLAG,
  payloadOffset,
  recordDeadline,
  typeOfTag,
  type Value,
  type ValueType,
} from '../bytes/value-codec.js';
import { MnemeError } from '../errors.js';
import { OVERFLOW_POINTER_BYTES, overflowPointer, readOverflow } from '../pages/overflow-page.js';
import type { PageSource } from '../pages/page-source.js';
import { valueAddress, valueLength } from '../tree/node.js';
import { stepIndex, walkToLeaf } from '../tree/walk.js';
import type { TreeRoot } from '../tree-root.js';

/** Where a record lies in the shared memory; good until the next page is fetched. */
export interface RecordPlace {
  address: number;
  length: number;
}

const place: RecordPlace = { address: 0, length: 0 };

/**
 * Finds the record of the key in the memory's `[key, end)`, expired or not; undefined when it has
 * none. The result is reused.
 */
export function findRecord(
  source: PageSource,
  tree: Readonly<TreeRoot>,
  key: number,
  end: number,
): RecordPlace | undefined {
  const { memory, walk } = source;
  const leaf = walkToLeaf(source, walk, tree, key, end);
  if (leaf === 0) return undefined;
  const index = stepIndex(memory, walk, 0);
  if (index < 0) return undefined;
  place.address = valueAddress(memory, leaf, index);
  place.length = valueLength(memory, leaf, index);
  return place;
}

/** True when a record with this deadline (0: none) is invisible at `now`. */
export function isExpired(deadline: number, now: number): boolean {
  return deadline !== 0 && now >= deadline;
}

/** The value of a record. Reads its overflow extents, so its place is not good any more after. */
export function decodeRecord(
  source: PageSource,
  address: number,
  length: number,
  mode: IntegerMode,
): Value {
  const { memory } = source;
  const tag = memory.u8[address] as number;
  const payload = payloadOffset(memory.u8, address);
  if ((tag & OVERFLOW_FLAG) === 0) {
    return decodePayload(tag, memory.text, payload, address + length - payload, mode);
  }
  const bytes = readLongPayload(source, memory.u8, address, length);
  return decodePayload(tag, bytes, 0, bytes.length, mode);
}

/** The payload of a record that says where it lies; its extents are read past the cache. */
export function readLongPayload(
  source: PageSource,
  bytes: Uint8Array,
  start: number,
  length: number,
): Buffer {
  const payload = payloadOffset(bytes, start);
  if (start + length - payload !== OVERFLOW_POINTER_BYTES) {
    throw new MnemeError('ERR_MNEME_CORRUPT', {
      reason: 'a pointer to a value has another length',
    });
  }
  const overflow = overflowPointer(bytes, payload);
  return readOverflow(source, overflow.length, overflow.pointer);
}

export function recordType(source: PageSource, address: number): ValueType {
  const type = typeOfTag(source.memory.u8[address] as number);
  if (type === undefined)
    throw new MnemeError('ERR_MNEME_CORRUPT', { reason: 'unknown value type' });
  return type;
}

/** The value of a visible key; `undefined` when it is missing or has expired. */
export function readValue(
  source: PageSource,
  tree: Readonly<TreeRoot>,
  key: number,
  end: number,
  now: () => number,
  mode: IntegerMode,
): Value | undefined {
  const record = findRecord(source, tree, key, end);
  if (record === undefined) return undefined;
  const deadline = recordDeadline(source.memory.u8, record.address);
  if (deadline !== 0 && isExpired(deadline, now())) return undefined;
  return decodeRecord(source, record.address, record.length, mode);
}
