/**
 * A writer killed at any operation, another that goes on with what the system still had in memory,
 * and then a power cut: what nobody synced may be lost, and the file is whole.
 */
import { expect, test } from 'vitest';
import { announceStates, CRASH_COUNTS, PROPERTY_TIMEOUT_MS } from '../counts.js';
import { forEachCrash, randomFrom } from './crash-states.js';
import type { DiskImage } from './disk-image.js';
import { BOOT, EngineRun, OTHER_BOOT, type SyncMode } from './engine-run.js';
import { Examiner } from './examination.js';
import { keyAt } from './history.js';
import { countStates, type RecordedHistory, recordHistory } from './many-histories.js';
import type { DiskEvent } from './simulated-disk.js';

const COMMITS_BEFORE = 5;
const COMMITS_AFTER = 3;
/** Of the operations at which the first writer is killed, how many are tried. */
const SHARE = 0.3;

interface Succession extends RecordedHistory {
  /** The state that the second writer found. */
  readonly found: number;
}

/** What the second writer did, beginning with all that the first had written. */
function succeed(image: DiskImage, killed: RecordedHistory, sync: SyncMode): Succession {
  const mark = image.mark();
  for (const event of killed.events) {
    if (event.kind === 'write') image.write(event.bytes, event.offset);
  }
  const run = new EngineRun(image, sync, BOOT);
  const content = run.content();
  const found = killed.states.lastIndexOf(content);
  expect(found, 'the state is one of the first writer').toBeGreaterThanOrEqual(0);
  const states = killed.states.slice(0, found + 1);
  for (let commit = 0; commit < COMMITS_AFTER; commit++) {
    run.engine.begin();
    // Every other key, so that pages are taken that the first writer freed.
    for (let key = commit % 2; key < 10; key += 2) run.set(keyAt(key), `new ${commit}`.repeat(30));
    run.commit();
    states.push(run.content());
    if (sync === 'none') run.engine.writeBehind();
    else run.file.acknowledge(states.length - 1);
  }
  image.rollBack(mark);
  return { events: [...killed.events, ...run.file.events], states, found };
}

/** With `sync: 'none'` only what was promised has to be there. */
function owedEvents(events: readonly DiskEvent[], sync: SyncMode): DiskEvent[] {
  if (sync === 'full') return [...events];
  const owed = events.filter(({ kind }) => kind !== 'acknowledge');
  return owed.map((event) => {
    return event.kind === 'promise' ? { kind: 'acknowledge', state: event.state } : event;
  });
}

interface Syncs {
  readonly first: SyncMode;
  readonly second: SyncMode;
}

function killAndSucceed(start: DiskImage, { first, second: sync }: Syncs, seed: number) {
  const random = randomFrom(seed);
  const { events: all, states } = recordHistory(start, first, random, COMMITS_BEFORE);
  const events = owedEvents(all, first);
  const examined = { states: 0, distinct: 0 };
  for (let last = 1; last < events.length; last++) {
    if (random() > SHARE) continue;
    const killed = { events: events.slice(0, last), states };
    const both = succeed(start, killed, sync);
    const examiner = new Examiner(start, OTHER_BOOT);
    forEachCrash(start, both.events, { random, from: last }, (disk) => {
      const inFlight = Math.max(disk.acknowledged, both.found) + 1;
      const newest = sync === 'full' ? inFlight : both.states.length;
      examiner.examine(disk, both.states.slice(disk.acknowledged, newest + 1));
    });
    examined.states += examiner.states;
    examined.distinct += examiner.distinct;
  }
  return examined;
}

test.each<Syncs>([
  { first: 'full', second: 'full' },
  { first: 'full', second: 'none' },
  { first: 'none', second: 'full' },
  { first: 'none', second: 'none' },
])(
  'a writer with sync $first is killed, one with sync $second goes on: a whole state is left',
  (syncs) => {
    const counted = countStates(CRASH_COUNTS.succeeded, (start, seed) => {
      return killAndSucceed(start, syncs, seed);
    });
    announceStates(`sync ${syncs.first} killed, then sync ${syncs.second} cut off`, counted);
  },
  PROPERTY_TIMEOUT_MS,
);
