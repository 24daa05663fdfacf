/**
 * Writes and syncs that fail, one at every place of many histories: the call says so, the last
 * commit stays, and reopening finds it.
 */
import { expect, test } from 'vitest';
import { claimThreadSlot } from '../../dist/shared/memory/thread-slots.js';
import { NO_LOCKS } from '../../dist/shared/pages/file-locks.js';
import { WriterTurn } from '../../dist/writer/turn.js';
import { announce, FAULT_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';
import { BOOT, EngineRun, emptyDatabase, freshMemory } from './engine-run.js';
import { countFaults } from './fault-points.js';
import { usedDatabase } from './many-histories.js';
import { countReadFaults } from './read-points.js';
import { SimulatedFile } from './simulated-disk.js';

/** Fills the database with a state that is a little larger every time. */
function commitRound(run: EngineRun, round: number): void {
  run.engine.begin();
  for (let key = 0; key < 20; key++) run.set(`key ${key}`, `${round}:`.padEnd(50 * round, 'x'));
  run.set(`large ${round}`, 'y'.repeat(5000));
  run.engine.commit();
}

function firstValue(run: EngineRun): unknown {
  return run.get('key 0');
}

test('a disk that is full changes nothing, and work goes on when there is room', () => {
  for (const sync of ['full', 'none'] as const) {
    const run = new EngineRun(emptyDatabase(), sync);
    commitRound(run, 1);
    const before = run.content();
    run.file.capacity = run.file.size();
    let failed = 0;
    for (let round = 2; round < 40 && failed === 0; round++) {
      const committed = run.content();
      try {
        commitRound(run, round);
      } catch (error) {
        failed = round;
        expect(error).toMatchObject({ code: 'ERR_MNEME_IO', details: { cause: 'ENOSPC' } });
        if (run.engine.isOpen) run.engine.abort();
        expect(run.content()).toBe(committed);
      }
    }
    expect(failed).toBeGreaterThan(0);
    expect(before.length).toBeGreaterThan(0);
    run.file.capacity = Number.POSITIVE_INFINITY;
    commitRound(run, 50);
    expect(firstValue(run)).toBe('50:'.padEnd(2500, 'x'));
    run.engine.sync();
    expect(run.problems()).toEqual([]);
    expect(firstValue(new EngineRun(run.file.image, 'full'))).toBe('50:'.padEnd(2500, 'x'));
  }
});

test.each(['full', 'none'] as const)(
  'sync %s: whatever write or sync fails, the last commit stays or the next',
  (sync) => {
    const [fresh, used] = [emptyDatabase(), usedDatabase()];
    let faults = 0;
    for (let history = 0; faults < FAULT_COUNTS.points; history++) {
      const seed = SEED + history;
      const image = history === 0 ? fresh : used;
      faults += countFaults({ image, sync, seed, transactionCount: FAULT_COUNTS.transactions });
    }
    announce(`fault points, sync ${sync}`, faults);
  },
  PROPERTY_TIMEOUT_MS,
);

test('whatever read fails, it is told of and nothing is missing after', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  const image = usedDatabase();
  let faults = 0;
  for (let history = 0; faults < FAULT_COUNTS.readPoints; history++) {
    faults += countReadFaults(image, SEED + history);
  }
  announce('fault points, reads of the engine', faults);
});

test('a sync that fails when a killed writer is succeeded is not tried a second time', () => {
  const killed = new EngineRun(emptyDatabase(), 'full');
  commitRound(killed, 1);
  const file = new SimulatedFile(killed.file.image);
  const memory = freshMemory();
  const slot = claimThreadSlot(memory, 0);
  const options = { bootId: BOOT, sync: 'full', locks: NO_LOCKS, lockTimeoutMs: 0 } as const;
  const turn = new WriterTurn({ memory, slot, file, ...options, isStillAt: () => true });
  let syncs = 0;
  file.beforeEvent = (kind) => {
    if (kind !== 'sync' || syncs++ > 0) return;
    throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'fdatasync' });
  };
  const failure = { code: 'ERR_MNEME_IO', details: { cause: 'EIO' } };
  expect(() => turn.take()).toThrowError(expect.objectContaining(failure));
  expect(() => turn.take()).toThrowError(expect.objectContaining(failure));
  expect(syncs).toBe(1);
});
