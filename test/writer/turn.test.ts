/**
 * The turn to write, with locks that say at once what other processes would do in time.
 */
import { expect, test } from 'vitest';
import { OTHERS_TURN, OWN_TURN, writerTurn } from '../../dist/shared/memory/control-block.js';
import { claimThreadSlot } from '../../dist/shared/memory/thread-slots.js';
import { type FileLocks, NO_LOCKS } from '../../dist/shared/pages/file-locks.js';
import { WriterTurn } from '../../dist/writer/turn.js';
import { BOOT, emptyDatabase, freshMemory } from '../../property-tests/crash/engine-run.js';
import { SimulatedFile } from '../../property-tests/crash/simulated-disk.js';

const DEADLINE_MS = 5000;

function turnWith(
  locks: FileLocks,
  file = new SimulatedFile(emptyDatabase()),
  memory = freshMemory(),
): WriterTurn {
  const slot = claimThreadSlot(memory, 0);
  const options = { bootId: BOOT, sync: 'full', lockTimeoutMs: 0, isStillAt: () => true } as const;
  return new WriterTurn({ memory, slot, file, locks, ...options });
}

test('a writer that never rests gives its turn back when another wants one', () => {
  let isWanted = false;
  const locked = new Set<unknown>();
  const turn = turnWith({
    ...NO_LOCKS,
    tryLock: (place) => locked.size < locked.add(place).size,
    unlock: (place) => void locked.delete(place),
    isLockedByOther: () => isWanted,
  });
  const commit = (): void => {
    const engine = turn.take();
    engine.begin();
    engine.commit();
    turn.yieldToOthers();
  };
  commit();
  expect([...locked]).toEqual(['writer']);
  isWanted = true;
  const deadline = performance.now() + DEADLINE_MS;
  do commit();
  while (turn.isHeld && performance.now() < deadline);
  expect(turn.isHeld).toBe(false);
  expect([...locked]).toEqual([]);
});

test('while a durable commit is on its way, readers look into the file as others do', () => {
  const file = new SimulatedFile(emptyDatabase());
  const memory = freshMemory();
  const turns: number[] = [];
  file.beforeEvent = () => turns.push(writerTurn(memory));
  const engine = turnWith(NO_LOCKS, file, memory).take();
  const { trees, catalog } = engine;
  engine.begin();
  const key = Uint8Array.of(1, 97);
  trees.locate(catalog, key, 0, key.length);
  trees.put(catalog, Uint8Array.of(1), 0, 1);
  turns.length = 0;
  engine.commit();
  // The meta and the sync; pages may be written before.
  expect(turns.slice(-2)).toEqual([OTHERS_TURN, OTHERS_TURN]);
  expect(writerTurn(memory)).toBe(OWN_TURN);
});
