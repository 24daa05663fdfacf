/**
 * The order in which free pages are taken, which decides how few calls write them.
 */
import { expect, test } from 'vitest';
import { PageBitmap } from '../../dist/writer/pages/page-bitmap.js';

function bitmapOf(...pages: readonly number[]): PageBitmap {
  const bitmap = new PageBitmap();
  for (const page of pages) bitmap.add(page, 1);
  return bitmap;
}

function take(bitmap: PageBitmap, count: number): number[] {
  return Array.from({ length: count }, () => bitmap.takeOne());
}

test('pages are taken in rising order, and then none is left', () => {
  const bitmap = bitmapOf(900, 31, 32, 5, 64);
  expect(take(bitmap, 6)).toEqual([5, 31, 32, 64, 900, -1]);
  expect(bitmap.count).toBe(0);
});

test('what was taken and given back since the sweep moved on is taken again first', () => {
  const bitmap = bitmapOf(10, 11, 12, 13, 14);
  expect(take(bitmap, 3)).toEqual([10, 11, 12]);
  bitmap.add(11, 1);
  expect(take(bitmap, 2)).toEqual([11, 13]);
});

test('what is given back behind the sweep waits until it comes round', () => {
  const bitmap = bitmapOf(10, 11, 12, 13, 14);
  expect(take(bitmap, 3)).toEqual([10, 11, 12]);
  bitmap.moveOn();
  bitmap.add(10, 2);
  expect(take(bitmap, 4)).toEqual([13, 14, 10, 11]);
});

test('a run that reaches over the place where the sweep moved on is taken from there first', () => {
  const bitmap = bitmapOf(10, 11, 12, 13);
  expect(take(bitmap, 2)).toEqual([10, 11]);
  bitmap.moveOn();
  expect(take(bitmap, 1)).toEqual([12]);
  bitmap.add(11, 2);
  expect(take(bitmap, 3)).toEqual([12, 13, 11]);
});

test('pages that lie together are found before the sweep, else behind it', () => {
  const bitmap = bitmapOf(3, 4, 5, 20, 40, 41, 42);
  expect(take(bitmap, 4)).toEqual([3, 4, 5, 20]);
  bitmap.moveOn();
  bitmap.add(3, 3);
  expect(bitmap.takeRun(3)).toBe(40);
  expect(bitmap.takeRun(3)).toBe(3);
  expect(bitmap.takeRun(1)).toBe(-1);
});

test('runs are told in rising order, from any page on', () => {
  const bitmap = bitmapOf(1, 2, 30, 31, 32, 33, 90);
  expect(bitmap.runs()).toEqual([1, 2, 30, 4, 90, 1]);
  const runs: number[][] = [];
  bitmap.forEachRun((start, length) => runs.push([start, length]), 31);
  expect(runs).toEqual([
    [31, 3],
    [90, 1],
  ]);
});
