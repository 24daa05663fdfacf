/**
 * Ranks and indexes as the caller gives them: whole numbers, negative ones from the end.
 */
import { invalidType, outOfRange } from '../shared/errors.js';

export function checkRank(name: string, rank: unknown): void {
  if (typeof rank !== 'number') throw invalidType(name, 'a number', rank);
  if (!Number.isInteger(rank)) throw outOfRange(name, 'a whole number', rank);
}

/** What of `count` items lies from `start` to `stop`, negative ones counting from the end. */
export function clampRanks(start: number, stop: number, count: number) {
  const from = Math.max(0, start < 0 ? start + count : start);
  const to = Math.min(count - 1, stop < 0 ? stop + count : stop);
  return { from, count: Math.max(0, to - from + 1) };
}
