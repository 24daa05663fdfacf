/**
 * A writer killed at any operation, another that goes on with what the system still had in memory,
 * and then a power cut: what nobody synced may be lost, and the file is whole.
 */
import { expect, test } from 'vitest';
import { announce, PROPERTY_TIMEOUT_MS } from '../counts.js';
import { EngineRun, emptyDatabase, OTHER_BOOT, type SyncMode } from './engine-run.js';
import { type Content, crashes, type DiskEvent } from './simulated-disk.js';

const KEY_COUNT = 60;
const COMMITS_BEFORE = 5;
const COMMITS_AFTER = 3;

/** Rewrites some keys; every commit takes pages that an earlier one freed. */
function commit(run: EngineRun, value: string): void {
  run.engine.begin();
  for (let key = 0; key < KEY_COUNT; key++) run.set(`key ${key}`, value.padEnd(200, 'x'));
  run.engine.commit();
}

/** The commit that a disk holds, -1 for none; fails when it holds parts of two. */
function commitOn(content: Content): number {
  const run = new EngineRun(content, 'full', OTHER_BOOT);
  const values = new Set([...run.read().values()].map((value) => Number.parseInt(value, 10)));
  expect(values.size).toBeLessThanOrEqual(1);
  expect(run.problems()).toEqual([]);
  return [...values][0] ?? -1;
}

function contentAfter(start: Content, events: readonly DiskEvent[]): Content {
  const content = start.copy();
  for (const event of events) if (event.kind === 'write') content.write(event.bytes, event.offset);
  return content;
}

for (const sync of ['full', 'none'] as const satisfies readonly SyncMode[]) {
  test(`a power cut after a killed writer's successor, sync ${sync}, leaves a whole state`, {
    timeout: PROPERTY_TIMEOUT_MS,
  }, () => {
    let count = 0;
    const start = emptyDatabase();
    const killed = new EngineRun(start.copy(), 'full');
    for (let number = 0; number < COMMITS_BEFORE; number++) {
      commit(killed, `${number}`);
      killed.file.acknowledge(number);
    }
    const { events } = killed.file;
    for (let last = 0; last < events.length; last++) {
      const before = events.slice(0, last + 1);
      const next = new EngineRun(contentAfter(start, before), sync);
      for (let number = 0; number < COMMITS_AFTER; number++) {
        commit(next, `${COMMITS_BEFORE + number}`);
        if (sync === 'none') next.engine.writeBehind();
        else next.file.acknowledge(COMMITS_BEFORE + number);
      }
      const all = [...before, ...next.file.events];
      for (const crash of crashes(start, all, () => 0.5)) {
        if (crash.event <= last) continue;
        const found = commitOn(crash.content);
        const isAcknowledged = found >= crash.acknowledged || crash.acknowledged === 0;
        expect(isAcknowledged, `${found} for ${crash.acknowledged}`).toBe(true);
        count++;
      }
    }
    announce(`killed, then a power cut, sync ${sync}`, count);
  });
}
