/**
 * Which entries a range holds: the bounds one after the other over a sorted array.
 */
import type { RangeOptions } from 'mneme';
import { byteText, type Entry, isVisible, type KeyspaceState } from './stored.js';

/** The keys within all bounds given, in rising byte order, expired ones included. */
export function storedKeysWithin(state: KeyspaceState, bounds: RangeOptions): string[] {
  const { gt, gte, lt, lte, prefix } = bounds;
  const above = gt === undefined ? undefined : byteText(gt);
  const from = gte === undefined ? undefined : byteText(gte);
  const below = lt === undefined ? undefined : byteText(lt);
  const upTo = lte === undefined ? undefined : byteText(lte);
  const start = prefix === undefined ? '' : byteText(prefix);
  return [...state.entries.keys()]
    .filter(
      (key) =>
        (above === undefined || key > above) &&
        (from === undefined || key >= from) &&
        (below === undefined || key < below) &&
        (upTo === undefined || key <= upTo) &&
        key.startsWith(start),
    )
    .sort((left, right) => (left < right ? -1 : 1));
}

/** The visible entries of a range, in its order, after offset and limit. */
export function visibleEntries(
  state: KeyspaceState,
  options: RangeOptions,
  now: number,
): [string, Entry][] {
  checkWholeNumber(options.offset);
  checkWholeNumber(options.limit);
  const keys = storedKeysWithin(state, options);
  if (options.reverse === true) keys.reverse();
  const visible: [string, Entry][] = [];
  for (const key of keys) {
    const entry = state.entries.get(key);
    if (entry !== undefined && isVisible(entry, now)) visible.push([key, entry]);
  }
  const offset = options.offset ?? 0;
  return visible.slice(offset, offset + (options.limit ?? visible.length));
}

/** Offsets, limits and counts must be whole and not negative. */
export function checkWholeNumber(value: number | undefined): void {
  if (value === undefined) return;
  if (typeof value !== 'number') throw new TypeError('not a number');
  if (!Number.isInteger(value) || value < 0) throw new RangeError('not a whole number >= 0');
}
