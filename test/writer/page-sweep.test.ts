/**
 * The order in which free pages are taken, which decides how many places a commit writes to.
 */
import { expect, test } from 'vitest';
import { PageBitmap } from '../../dist/shared/pages/page-bitmap.js';
import { PageSweep } from '../../dist/writer/pages/page-sweep.js';

/** So few that the file grows rather than that single pages are taken. */
const LARGE_FILE = 10_000;
/** So few that every free page is taken before the file grows. */
const SMALL_FILE = 4;

function sweepOf(...pages: readonly number[]): PageSweep {
  const bitmap = new PageBitmap();
  for (const page of pages) bitmap.add(page, 1);
  return new PageSweep(bitmap);
}

function run(start: number, length: number): number[] {
  return Array.from({ length }, (_, index) => start + index);
}

function take(sweep: PageSweep, count: number, pageCount: number): number[] {
  return run(0, count).map(() => sweep.takeOne(pageCount));
}

test('long runs are taken first, and while little is free the file grows instead of more', () => {
  const sweep = sweepOf(5, 7, ...run(20, 8), 40, ...run(60, 9));
  expect(take(sweep, 18, LARGE_FILE)).toEqual([...run(20, 8), ...run(60, 9), -1]);
});

test('where much is free all of it is taken, the longest runs first', () => {
  const sweep = sweepOf(5, 7, ...run(20, 3), 40);
  const taken = take(sweep, 7, SMALL_FILE);
  expect(taken.slice(0, 3)).toEqual([20, 21, 22]);
  expect(taken.slice(3).sort((a, b) => a - b)).toEqual([-1, 5, 7, 40]);
});

test('what was taken and given back since the last meta is taken again first', () => {
  const sweep = sweepOf(...run(10, 8));
  expect(take(sweep, 3, LARGE_FILE)).toEqual([10, 11, 12]);
  sweep.giveBack(10, 2);
  expect(take(sweep, 3, LARGE_FILE)).toEqual([10, 11, 13]);
});

test('what grew and was given back since the last meta is taken again first', () => {
  const sweep = sweepOf();
  expect(take(sweep, 1, 100)).toEqual([-1]);
  expect(take(sweep, 1, 101)).toEqual([-1]);
  sweep.giveBack(100, 2);
  expect(take(sweep, 3, 102)).toEqual([100, 101, -1]);
});

test('what is given back behind the sweep waits until it comes round', () => {
  const sweep = sweepOf(...run(10, 8));
  expect(take(sweep, 3, SMALL_FILE)).toEqual([10, 11, 12]);
  sweep.moveOn();
  sweep.giveBack(10, 2);
  expect(take(sweep, 7, SMALL_FILE)).toEqual([13, 14, 15, 16, 17, 10, 11]);
});

test('what was given back and is taken as part of an extent is not taken twice', () => {
  const sweep = sweepOf(...run(10, 8));
  expect(take(sweep, 8, SMALL_FILE)).toEqual(run(10, 8));
  sweep.giveBack(10, 8);
  expect(sweep.takeRun(4, SMALL_FILE)).toBe(10);
  expect(take(sweep, 5, SMALL_FILE)).toEqual([14, 15, 16, 17, -1]);
});

test('an extent is looked for before the sweep, and from the beginning where much is free', () => {
  const sweep = sweepOf(...run(3, 3), ...run(20, 8), ...run(40, 3));
  expect(take(sweep, 8, SMALL_FILE)).toEqual(run(20, 8));
  expect(sweep.takeRun(3, SMALL_FILE)).toBe(40);
  expect(sweep.takeRun(3, LARGE_FILE)).toBe(-1);
  expect(sweep.takeRun(3, SMALL_FILE)).toBe(3);
  expect(sweep.takeRun(1, SMALL_FILE)).toBe(-1);
});
