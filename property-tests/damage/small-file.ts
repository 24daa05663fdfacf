/**
 * A file of few pages that has everything: trees of several levels, deadlines, extents, vectors, a
 * list of free pages in an extent, and a dropped keyspace that is still to be freed.
 */

import type { DiskImage } from '../crash/disk-image.js';
import { EngineRun, emptyDatabase } from '../crash/engine-run.js';

export const SMALL_KEYSPACES = ['deep', 'expiring', 'plain', 'vectors'] as const;
export const DEADLINE = 1_000_000;
export const DEEP_COUNT = 24;

export function deepKey(index: number): string {
  return `deep ${String(index % 7)}`.padEnd(300 + index * 18, `${index} `);
}

export function plainKey(index: number): string {
  return `key ${String(index).padStart(4, '0')}`;
}

/** Some in a record of codes. */
export const VECTOR_COUNT = 40;

export function smallVector(index: number): Float32Array {
  return Float32Array.from({ length: 21 }, (_, at) => Math.sin(index * at + index));
}

/** Closed, so that both metas tell of the same state. */
export function makeSmallFile(): DiskImage {
  const image = emptyDatabase();
  const run = new EngineRun(image, 'full', undefined, { freeLogBytesMax: 0 });
  run.engine.begin();
  for (let index = 0; index < DEEP_COUNT; index++) run.set(deepKey(index), 'v', 0, 'deep');
  for (let index = 0; index < 45; index++) {
    const deadline = index % 3 === 0 ? DEADLINE + (index % 2) * 1e6 : 0;
    run.set(plainKey(index), `${index}`.repeat(1 + (index % 90)), deadline, 'expiring');
    if (index < 15)
      run.set(plainKey(index), 'p'.repeat(index % 6 === 0 ? 5000 : 260), 0, 'dropped');
  }
  for (let index = 0; index < 35; index++) {
    run.set(plainKey(index), 'p'.repeat(index === 7 || index === 30 ? 5000 : 100), 0, 'plain');
  }
  for (let index = 0; index < VECTOR_COUNT; index++) {
    run.setVector(plainKey((index * 3) % VECTOR_COUNT), smallVector(index), 'vectors');
  }
  run.commit();
  for (const step of [2, 3]) {
    run.engine.begin();
    for (let index = 0; index < DEEP_COUNT; index += step) run.set(deepKey(index), 'w', 0, 'deep');
    run.deleteRange(plainKey(20 + step), plainKey(24), 'expiring');
    run.deleteRange(plainKey(20 + step), plainKey(24), 'vectors');
    run.commit();
  }
  run.engine.begin();
  run.drop('dropped');
  run.set(plainKey(1), 'last', DEADLINE, 'plain');
  run.engine.commit(); // not the run's, which would free what was dropped
  run.engine.close();
  image.settle();
  return image;
}
