/**
 * The map of a file's pages, where it is not as the random steps of the property tests leave it: a
 * long record of free pages, a reader who holds an old state, dropped keyspaces, large cells.
 */
import { type Database, open } from 'mneme';
import { expect, test } from 'vitest';
import { mapPages, type PageMap, type PageUse } from '../../dist/api/page-map.js';
import { openHere, temporaryPath } from './support.js';

function mapOf(database: Database, cellsMax: number): PageMap {
  const steps = mapPages(database, cellsMax);
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

function pagesOf({ uses }: PageMap, use: PageUse): number {
  return uses.reduce((sum, it) => sum + (it.use === use ? it.pages : 0), 0);
}

/** Fills a file with small leaves and empties every other one, so that the free pages are torn. */
function tornFile(): string {
  const path = temporaryPath();
  const database = open(path);
  database.batch((tx) => {
    const values = tx.keyspace('a');
    for (let key = 0; key < 40_000; key++) values.set(`${key}`.padStart(6, '0'), 'x'.repeat(900));
  });
  for (let part = 0; part < 4; part++) {
    database.batch((tx) => {
      const values = tx.keyspace('a');
      for (let key = part * 10_000; key < (part + 1) * 10_000; key++) {
        if (key % 16 < 8) values.del(`${key}`.padStart(6, '0'));
      }
    });
  }
  database.close();
  return path;
}

test('the record of free pages is on the map, wherever it lies', () => {
  const database = openHere(tornFile());
  const map = mapOf(database, database.stats().pageCount);
  expect(pagesOf(map, 'free log')).toBeGreaterThan(0);
  expect(pagesOf(map, 'unknown')).toBe(0);
  const { pageCount, livePages, reclaimablePages, retiredPages } = database.stats();
  expect(pagesOf(map, 'free') + pagesOf(map, 'retired')).toBe(reclaimablePages + retiredPages);
  expect(pagesOf(map, 'tree') + pagesOf(map, 'meta') + pagesOf(map, 'free log')).toBe(livePages);
  expect(map.cells.length).toBe(pageCount);
});

test('what a reader still sees is retired, until it lets go', () => {
  const path = temporaryPath();
  const database = openHere(path);
  const values = database.keyspace('a');
  for (let key = 0; key < 50; key++) values.set(`${key}`, 'x'.repeat(2000));
  const elsewhere = openHere(path, { readonly: true });
  const held = elsewhere.snapshot();
  for (let round = 0; round < 5; round++) {
    for (let key = 0; key < 50; key++) values.set(`${key}`, `${round}`.repeat(2000));
  }
  const during = mapOf(database, 10_000);
  expect(pagesOf(during, 'retired')).toBeGreaterThan(20);
  held.close();
  values.set('0', 'last');
  expect(pagesOf(mapOf(database, 10_000), 'retired')).toBeLessThan(20);
});

test('a cell of many pages has the use of most of them', () => {
  const database = openHere(tornFile());
  const { pageCount } = database.stats();
  const fine = mapOf(database, pageCount);
  const coarse = mapOf(database, 100);
  expect(coarse.cells.length).toBeLessThanOrEqual(100);
  expect(coarse.cells.length).toBe(Math.ceil(pageCount / coarse.pagesPerCell));
  expect(coarse.uses).toEqual(fine.uses);
  coarse.cells.forEach((use, cell) => {
    const { pagesPerCell } = coarse;
    const pages = [...fine.cells.slice(cell * pagesPerCell, (cell + 1) * pagesPerCell)];
    const countOf = (wanted: number) => pages.filter((it) => it === wanted).length;
    expect(countOf(use)).toBe(Math.max(...pages.map(countOf)));
  });
});

test('a dropped keyspace is dropped on the map, until its pages are freed', () => {
  const path = tornFile();
  const database = openHere(path);
  const before = pagesOf(mapOf(database, 1000), 'tree');
  database.dropKeyspace('a');
  const { uses } = mapOf(database, 1000);
  const dropped = uses.find(({ tree }) => tree === 'dropped')?.pages ?? 0;
  expect(dropped).toBeGreaterThan(before / 2);
  expect(uses.some(({ keyspace }) => keyspace === 'a')).toBe(false);
});
