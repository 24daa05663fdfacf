/**
 * Proves that the four trees of a keyspace's vectors say the same: slots without holes, both ways
 * between keys and slots, codes that are those of the originals, and nothing behind the last slot.
 */
import { compareBytes } from '../bytes/compare.js';
import { readU48 } from '../bytes/integers.js';
import { rowsBytes, type VectorLayout, vectorLayout, writeRows } from '../bytes/vector-codes.js';
import type { PageSource } from '../pages/page-source.js';
import { forEachEntry } from '../tree/entries.js';
import type { KeyspaceRecord } from './catalog.js';
import {
  codeEntryCount,
  keyOfSlot,
  readNumbered,
  readOriginal,
  SLOT_RECORD_BYTES,
  stripeBytes,
  stripeCount,
} from './vector.js';

const FLOAT_BYTES = 4;

/** Tells of the first contradiction of each kind. Throws when a tree cannot be read. */
export function checkVectors(
  source: PageSource,
  record: KeyspaceRecord,
  addProblem: (message: string) => void,
): void {
  const { vectorSlots, vectorKeys, codes, originals, dimension } = record;
  const { count } = vectorSlots;
  const { nodeBytes } = source.memory;
  if (count === 0) {
    const others = vectorKeys.count + codes.count + originals.count;
    if (others > 0) addProblem('there are parts of vectors without keys');
    return;
  }
  const layout = vectorLayout(dimension, nodeBytes);
  const isWhole =
    vectorKeys.count === count &&
    codes.count === codeEntryCount(layout, count) &&
    originals.count === stripeCount(dimension, count, nodeBytes);
  if (!isWhole) {
    addProblem('the trees of the vectors differ in their counts');
    return;
  }
  if (!keysAgree(source, record)) addProblem('keys and slots of vectors differ');
  if (!codesAgree(source, record, layout)) addProblem('codes differ from their vectors');
  if (!tailsAreZero(source, record, layout)) addProblem('something is behind the last vector');
}

/** True when every key's slot has that key: there are as many of one as of the other. */
function keysAgree(source: PageSource, record: KeyspaceRecord): boolean {
  let agree = true;
  forEachEntry(source, record.vectorSlots, ({ key, value }) => {
    const slot = value.length === SLOT_RECORD_BYTES ? readU48(value, 0) : record.vectorSlots.count;
    agree &&= slot < record.vectorSlots.count;
    agree &&= compareBytes(keyOfSlot(source, record, slot), key) === 0;
  });
  return agree;
}

function codesAgree(source: PageSource, record: KeyspaceRecord, layout: VectorLayout): boolean {
  const { segments, stride, rowsPerEntry, entryBytes } = layout;
  const rows = new Uint8Array(rowsBytes(layout));
  for (let slot = 0; slot < record.vectorSlots.count; slot++) {
    writeRows(layout, readOriginal(source, record, slot), rows);
    const first = Math.floor(slot / rowsPerEntry) * segments;
    const offset = (slot % rowsPerEntry) * stride;
    for (let segment = 0; segment < segments; segment++) {
      const entry = readNumbered(source, record.codes, first + segment, entryBytes);
      const expected = rows.subarray(segment * stride, (segment + 1) * stride);
      if (compareBytes(entry.subarray(offset, offset + stride), expected) !== 0) return false;
    }
  }
  return true;
}

function tailsAreZero(source: PageSource, record: KeyspaceRecord, layout: VectorLayout): boolean {
  const { codes, originals, dimension, vectorSlots } = record;
  const { rowsPerEntry, stride, entryBytes } = layout;
  const size = stripeBytes(source.memory.nodeBytes);
  const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);
  const rows = vectorSlots.count % rowsPerEntry;
  const floats = (vectorSlots.count * dimension * FLOAT_BYTES) % size;
  const lastCodes = readNumbered(source, codes, codes.count - 1, entryBytes);
  const lastStripe = readNumbered(source, originals, originals.count - 1, size);
  return (
    (rows === 0 || isZero(lastCodes.subarray(rows * stride))) &&
    (floats === 0 || isZero(lastStripe.subarray(floats)))
  );
}
