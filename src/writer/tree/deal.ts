/**
 * Where a row of entries is divided so that each share fits a page.
 */
import type { EntryRun } from './entry-run.js';

/** Borders of even shares of a run, as few as fit pages that are full to `fillMax` at most. */
export function deal(
  run: EntryRun,
  pageSize: number,
  fillMax: number,
  shareCountMin: number,
): number[] {
  let total = 0;
  for (let index = 0; index < run.length; index++) total += run.weight(index);
  for (let count = shareCountMin; ; count++) {
    const borders = evenBorders(run, total, count);
    // One page more than a single split would need is always enough at full pages.
    const limit = count > shareCountMin + 2 ? pageSize : pageSize * fillMax;
    if (fits(run, borders, limit)) return borders;
  }
}

function evenBorders(run: EntryRun, total: number, count: number): number[] {
  const borders = [0];
  let sum = 0;
  for (let index = 0; index < run.length && borders.length < count; index++) {
    const weight = run.weight(index);
    // The entry in the middle of a border goes to the side that has more of it.
    const goal = (total * borders.length) / count;
    if (index > (borders.at(-1) as number) && sum + weight / 2 > goal) borders.push(index);
    sum += weight;
  }
  borders.push(run.length);
  return borders;
}

function fits(run: EntryRun, borders: readonly number[], limit: number): boolean {
  for (let share = 0; share + 1 < borders.length; share++) {
    const from = borders[share] as number;
    if (run.encodedBytes(from, borders[share + 1] as number) > limit) return false;
  }
  return true;
}
