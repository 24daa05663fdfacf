/** A set of pages, and the runs in it. */
import { expect, test } from 'vitest';
import { PageBitmap } from '../../dist/shared/pages/page-bitmap.js';

function bitmapOf(...pages: readonly number[]): PageBitmap {
  const bitmap = new PageBitmap();
  for (const page of pages) bitmap.add(page, 1);
  return bitmap;
}

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

test('the first run that is long enough is found, over the borders of words', () => {
  const bitmap = bitmapOf(1, 2, 30, 31, 32, 33, 90, 91, 92);
  expect(bitmap.findRun(1, 0)).toBe(1);
  expect(bitmap.findRun(3, 0)).toBe(30);
  expect(bitmap.findRun(3, 31)).toBe(31);
  expect(bitmap.findRun(3, 32)).toBe(90);
  expect(bitmap.findRun(5, 0)).toBe(-1);
  expect(bitmap.findRun(1, 93)).toBe(-1);
});
