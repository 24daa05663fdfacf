/**
 * One history, opened anew for every transaction, with one read of it that fails or ends early.
 * Whatever met it is told so and done once more, and then nothing is missing.
 */
import { expect } from 'vitest';
import { MnemeError } from '../../dist/shared/errors.js';
import { randomFrom } from './crash-states.js';
import { isDamage } from './damaged-disk.js';
import type { DiskImage } from './disk-image.js';
import { BOOT, EngineRun } from './engine-run.js';
import { goOn } from './examination.js';
import { History } from './history.js';
import { SimulatedFile } from './simulated-disk.js';

const TRANSACTIONS = 3;
const READ_FAULTS = ['EIO', 'gives half', 'gives nothing'] as const;
type ReadFault = (typeof READ_FAULTS)[number];

/** Tries every fault at every read of a history; returns how many there were. */
export function countReadFaults(image: DiskImage, seed: number): number {
  const reads = perform(image, seed, -1, 'EIO');
  for (let place = 0; place < reads; place++) {
    for (const fault of READ_FAULTS) {
      try {
        perform(image, seed, place, fault);
      } catch (error) {
        throw new Error(`seed ${seed}, read ${place} ${fault}`, { cause: error });
      }
    }
  }
  return reads * READ_FAULTS.length;
}

/** Returns how many reads there were. */
function perform(image: DiskImage, seed: number, place: number, fault: ReadFault): number {
  const mark = image.mark();
  const file = new SimulatedFile(image);
  let reads = 0;
  file.gives = (length) => (reads++ === place ? given(length, fault) : length);
  let run = insist(() => new EngineRun(file, 'full'));
  const history = new History(run, randomFrom(seed));
  for (let index = 0; index < TRANSACTIONS; index++) {
    run = insist(() => new EngineRun(file, 'full'));
    const content = insist(() => run.content());
    if (content !== history.states.at(-1)) expect(content).toBe(history.states.at(-1));
    insist(() => prove(run));
    run = insist(() => new EngineRun(file, 'full')); // with nothing in its cache
    history.continueWith(run);
    transaction(history, run, file);
  }
  const count = reads;
  const { content } = goOn(file, BOOT);
  if (content !== history.states.at(-1)) expect(content).toBe(history.states.at(-1));
  image.rollBack(mark);
  return count;
}

/** What cannot be read is one of the problems that are found. */
function prove(run: EngineRun): void {
  const [problem] = run.problems();
  if (problem !== undefined) throw new MnemeError('ERR_MNEME_CORRUPT', { problem });
}

function given(length: number, fault: ReadFault): number {
  if (fault === 'gives half') return length >>> 1;
  if (fault === 'gives nothing') return 0;
  throw new MnemeError('ERR_MNEME_IO', { cause: 'EIO' });
}

/** A transaction, and when it fails the next, by a new opening when this one refuses. */
function transaction(history: History, run: EngineRun, file: SimulatedFile): void {
  try {
    history.transaction(6);
    return;
  } catch (error) {
    expectTold(error);
  }
  if (run.engine.isOpen) run.engine.abort();
  history.startOver();
  if (run.engine.hasFailed) history.continueWith(new EngineRun(file, 'full'));
  history.transaction(6);
}

function insist<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    expectTold(error);
    return action();
  }
}

function expectTold(error: unknown): void {
  if (error instanceof MnemeError && error.code === 'ERR_MNEME_IO') return;
  if (!isDamage(error)) throw error;
}
