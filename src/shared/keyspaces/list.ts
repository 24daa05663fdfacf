/**
 * Lists: the elements of all of a keyspace's in one tree.
 *
 *   offset  size  field of a key
 *        0     8  id of the list
 *        8     8  position, an integer (ordered-key.ts)
 *
 * The record is that of a value without a deadline (value-codec.ts). A list's elements stand at
 * adjoining positions, from its head to its tail (collection-names.ts), so that each is found by
 * its key.
 */
import { ORDERED_BYTES, writeOrderedId, writeOrderedInteger } from '../bytes/ordered-key.js';
import type { IntegerMode, Value } from '../bytes/value-codec.js';
import { MnemeError } from '../errors.js';
import type { PageSource } from '../pages/page-source.js';
import { rankOf } from '../tree/cursor.js';
import type { KeyspaceRecord } from './catalog.js';
import { decodeRecord, findRecord } from './values.js';

export const ELEMENT_KEY_BYTES = 2 * ORDERED_BYTES;

const elementKey = new Uint8Array(ELEMENT_KEY_BYTES);

/** The key of an element; reused by the next call. */
export function elementKeyOf(id: number, position: number): Uint8Array {
  writeOrderedId(elementKey, 0, id);
  writeOrderedInteger(elementKey, ORDERED_BYTES, position);
  return elementKey;
}

/** The element at a position that the list has. */
export function readElement(
  source: PageSource,
  record: KeyspaceRecord,
  id: number,
  position: number,
  integers: IntegerMode,
): Value {
  const start = source.placeKey(elementKeyOf(id, position));
  const place = findRecord(source, record.elements, start, start + ELEMENT_KEY_BYTES);
  if (place === undefined) throw elementMissing();
  return decodeRecord(source, place.address, place.length, integers);
}

/** The rank of a position among the elements of all lists. */
export function rankOfElement(
  source: PageSource,
  record: KeyspaceRecord,
  id: number,
  position: number,
): number {
  return rankOf(source, record.elements, elementKeyOf(id, position));
}

export function elementMissing(): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', { reason: 'a list lacks an element' });
}
