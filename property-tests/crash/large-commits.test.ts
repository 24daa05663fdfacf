/**
 * Power cuts in commits that the cache is too small for, so that pages of theirs are written before
 * it is known what is committed, and whose metas are longer than what a disk writes at once.
 */
import { expect, test } from 'vitest';
import { DATA_START_BYTES } from '../../dist/shared/limits.js';
import { announceStates, CRASH_COUNTS, PROPERTY_TIMEOUT_MS } from '../counts.js';
import { forEachCrash, randomFrom } from './crash-states.js';
import { type DiskImage, SECTOR_BYTES } from './disk-image.js';
import {
  BOOT,
  contentLine,
  EngineRun,
  emptyDatabase,
  OTHER_BOOT,
  type SyncMode,
} from './engine-run.js';
import { Examiner } from './examination.js';
import { countStates, type RecordedHistory } from './many-histories.js';
import type { DiskEvent } from './simulated-disk.js';

const KEY_COUNT = 180;
const COMMITS = 4;
const PAGE_BYTES = 4096;

function keyAt(index: number): string {
  return `large ${String(index).padStart(3, '0')}`;
}

/** Four values to a leaf; longer ones would go to extents, which no commit writes early. */
function valueAt(version: number): string {
  return `${version}:`.padEnd(900, 'x');
}

function contentOf(versions: readonly number[]): string {
  return versions
    .map((version, index) => contentLine('a', keyAt(index), 0, valueAt(version)))
    .join('\n');
}

function filledDatabase(): DiskImage {
  const image = emptyDatabase();
  const run = new EngineRun(image, 'full');
  // All of it twice, so that the file need not grow any more; then in parts, until the list of what
  // was taken and freed is longer than a sector.
  for (const distance of [1, 1, 5, 7, 9, 11, 13, 5, 7, 9, 11, 13, 5, 7]) {
    run.engine.begin();
    for (let index = 0; index < KEY_COUNT; index += distance) run.set(keyAt(index), valueAt(0));
    run.commit();
  }
  run.engine.close();
  image.settle();
  return image;
}

interface LargeHistory extends RecordedHistory {
  /** Pages that were written of transactions that were not being committed yet. */
  readonly earlyPages: number;
}

function perform(image: DiskImage, sync: SyncMode, random: () => number): LargeHistory {
  const run = new EngineRun(image, sync, BOOT, { isCacheSmall: true });
  const { engine, file } = run;
  const versions = new Array<number>(KEY_COUNT).fill(0);
  const states = [contentOf(versions)];
  let earlyPages = 0;
  for (let version = 1; version <= COMMITS; version++) {
    const before = file.events.length;
    engine.begin();
    const distance = 2 + Math.floor(random() * 6);
    for (let index = version; index < KEY_COUNT; index += distance) {
      run.set(keyAt(index), valueAt(version));
      versions[index] = version;
    }
    earlyPages += file.events.slice(before).filter(isPage).length;
    run.commit();
    states.push(contentOf(versions));
    file.acknowledge(version);
    if (sync === 'full') continue;
    engine.writeBehind();
    if (version % 2 === 1) continue;
    engine.sync();
    file.promise(version);
  }
  image.rollBack(0);
  return { events: file.events, states, earlyPages };
}

function isPage(event: DiskEvent): boolean {
  return event.kind === 'write' && event.bytes.length === PAGE_BYTES;
}

/** Longest meta that was written. */
function metaBytesMax({ events }: RecordedHistory): number {
  const metas = events.map((event) => {
    return event.kind === 'write' && event.offset < DATA_START_BYTES ? event.bytes.length : 0;
  });
  return Math.max(...metas);
}

test.each(['full', 'none'] as const)(
  'with sync %s a commit whose pages are written early is there as a whole or not at all',
  (sync) => {
    const start = filledDatabase();
    const examineHistory = (image: DiskImage, seed: number): Examiner => {
      const random = randomFrom(seed);
      const history = perform(image, sync, random);
      expect(history.earlyPages, 'pages are written early').toBeGreaterThan(0);
      expect(metaBytesMax(history), 'a meta can be torn').toBeGreaterThan(SECTOR_BYTES);
      const examiner = new Examiner(image, OTHER_BOOT);
      forEachCrash(image, history.events, { random }, (disk) => {
        const oldest = sync === 'full' ? disk.acknowledged : disk.promised;
        examiner.examine(disk, history.states.slice(oldest, disk.acknowledged + 2));
      });
      return examiner;
    };
    const counted = countStates(CRASH_COUNTS.large, examineHistory, [start, start]);
    announceStates(`crash states of large commits, sync ${sync}`, counted);
  },
  PROPERTY_TIMEOUT_MS,
);
