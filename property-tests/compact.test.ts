/**
 * Compaction and backup: after any steps over everything that a database can hold, the copy answers
 * as the original does, is sound, and holds nothing that has expired; and what `stats()` says of
 * the pages is what a walk over all of them finds.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Database, MnemeError, type OpenOptions, open } from 'mneme';
import { test } from 'vitest';
import { mapPages, type PageMap, type PageUse } from '../dist/api/page-map.js';
import { announce, COMPACT_COUNTS, PROPERTY_TIMEOUT_MS, SEARCH_LIMIT_MS, SEED } from './counts.js';
import { expectSame } from './support/compare.js';
import {
  type AnyStep,
  anySteps,
  describeEverything,
  Everything,
  marksIn,
} from './support/everything.js';
import { walkedPages } from './support/page-walk.js';

const START_MS = 1_750_000_000_000;

interface Clock {
  now: number;
}

function optionsOf(clock: Clock, pageSize = 4096): OpenOptions {
  return { pageSize, cacheSize: 2 ** 20, threads: 1, clock: () => clock.now };
}

/** Opens a copy for as long as it is looked at. */
function using<T>(path: string, options: OpenOptions, look: (database: Database) => T): T {
  const database = open(path, { ...options, create: false });
  try {
    return look(database);
  } finally {
    database.close();
  }
}

function expectSound(database: Database, context: string): void {
  expectSame(database.verify().problems, [], `${context}: verify`);
}

/** The values that are there have their marks in the file, and nothing else has. */
function expectOnlyLive(path: string, description: unknown, context: string): void {
  const shown = marksIn(Buffer.from(JSON.stringify(description, revealBytes)));
  expectSame([...marksIn(readFileSync(path))].sort(), [...shown].sort(), `${context}: marks`);
}

/** Bytes hold marks as well as texts do. */
function revealBytes(_: string, value: unknown): unknown {
  const isBytes = typeof value === 'object' && value !== null && 'type' in value;
  if (isBytes && 'data' in value) return Buffer.from(value.data as number[]).toString('latin1');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  return typeof value === 'bigint' ? `${value}` : value;
}

function expectTrueStats(database: Database, path: string, context: string): void {
  const { pageCount, livePages, retiredPages, reclaimablePages, fileSize } = database.stats();
  const walked = walkedPages(path);
  expectSame({ pageCount, livePages }, walked, `${context}: pages`);
  expectSame(livePages + retiredPages + reclaimablePages, pageCount, `${context}: sum`);
  expectSame(fileSize, readFileSync(path).length, `${context}: size`);
  expectTrueMap(database, context);
}

/** Every page is on the map once, and what no tree has is what may be used again. */
function expectTrueMap(database: Database, context: string): void {
  const { pageCount, livePages } = database.stats();
  const { cells, uses, trees } = mapOf(database, pageCount);
  const counted = uses.map(() => 0);
  for (const place of cells) counted[place] = (counted[place] as number) + 1;
  expectSame(
    uses.map(({ pages }) => pages),
    counted,
    `${context}: pages of uses`,
  );
  const pagesOf = (use: PageUse) =>
    uses.reduce((sum, it) => sum + (it.use === use ? it.pages : 0), 0);
  expectSame(pagesOf('unknown'), 0, `${context}: unknown pages`);
  expectSame(pagesOf('free') + pagesOf('retired'), pageCount - livePages, `${context}: unused`);
  const inTrees = trees.reduce(
    (sum, it) => sum + it.leafPages + it.branchPages + it.extentPages,
    0,
  );
  expectSame(inTrees, pagesOf('tree'), `${context}: pages of trees`);
  const isPossible = trees.every(({ fill, depth }) => fill > 0 && fill <= 1 && depth > 0);
  expectSame(isPossible, true, `${context}: fills and depths`);
  for (const name of database.keyspaces()) {
    const tree = trees.find((it) => it.keyspace === name && it.tree === 'values');
    const about = { depth: tree?.depth ?? 0, leafPages: tree?.leafPages ?? 0 };
    const branchPages = tree?.branchPages ?? 0;
    const overflowPages = tree?.extentPages ?? 0;
    const expected = valuesOf(database, name);
    if (expected === undefined) continue;
    expectSame({ ...about, branchPages, overflowPages }, expected, `${context}: ${name}`);
  }
}

function mapOf(database: Database, cellsMax: number): PageMap {
  const map = mapPages(database, cellsMax);
  for (let step = map.next(); ; step = map.next()) if (step.done === true) return step.value;
}

/** What `stats()` says of the tree of values; undefined for full text. */
function valuesOf(database: Database, name: string) {
  try {
    const handle = database.keyspace(name, name.includes('bytes') ? { keys: 'bytes' } : {});
    const { depth, leafPages, branchPages, overflowPages } = handle.stats();
    return { depth, leafPages, branchPages, overflowPages };
  } catch (error) {
    if (error instanceof MnemeError && error.code === 'ERR_MNEME_TYPE_MISMATCH') return undefined;
    throw error;
  }
}

function check(steps: readonly AnyStep[], sync: 'full' | 'none', pageSize: number): void {
  const directory = mkdtempSync(join(tmpdir(), 'mneme-compact-'));
  const clock = { now: START_MS };
  const options = optionsOf(clock, pageSize);
  const path = (name: string) => join(directory, `${name}.mneme`);
  const database = open(path('original'), { ...options, sync });
  const subject = new Everything(database, (seconds) => {
    clock.now += 1000 * seconds;
  });
  try {
    for (const step of steps) subject.perform(step);
    if (sync === 'none') database.sync();
    expectTrueStats(database, path('original'), 'original');
    const before = describeEverything(database);
    const { bytesAfter, keys } = database.compact(path('compact'));
    database.backup(path('backup'));
    expectSame(describeEverything(database), before, 'the original afterwards');
    using(path('compact'), options, (copy) => {
      expectSound(copy, 'compact');
      expectSame(describeEverything(copy), before, 'compact');
      expectTrueStats(copy, path('compact'), 'compact');
      const again = copy.compact(path('again'));
      expectSame([again.bytesAfter, again.keys], [bytesAfter, keys], 'compact again');
      expectSame(copy.purgeExpired(), 0, 'compact: expired');
    });
    expectOnlyLive(path('again'), before, 'compact again');
    clock.now = START_MS;
    const earlier = describeEverything(database);
    using(path('backup'), options, (copy) => {
      expectSound(copy, 'backup');
      expectSame(describeEverything(copy), earlier, 'backup at an earlier moment');
    });
  } finally {
    database.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function checkMany(title: string, pageSize: number, runs: number): void {
  announce(title, runs);
  const sync = fc.constantFrom('full' as const, 'none' as const);
  const property = fc.property(anySteps(COMPACT_COUNTS.stepsMax), sync, (steps, mode) => {
    check(steps, mode, pageSize);
  });
  const limits = { interruptAfterTimeLimit: SEARCH_LIMIT_MS, markInterruptAsFailure: true };
  fc.assert(property, { seed: SEED, numRuns: runs, ...limits });
}

test(
  'a copy of small pages answers as the original does after any steps',
  {
    timeout: PROPERTY_TIMEOUT_MS,
  },
  () => checkMany('compact, 4 KiB pages', 4096, COMPACT_COUNTS.smallPages),
);

test(
  'a copy of large pages answers as the original does after any steps',
  {
    timeout: PROPERTY_TIMEOUT_MS,
  },
  () => checkMany('compact, 32 KiB pages', 32768, COMPACT_COUNTS.largePages),
);
