/**
 * One history with one write or sync of it that fails, in every way in which they do, and what must
 * hold then: the call says so, nothing that was acknowledged is lost, and after a kill or a power
 * cut the file is whole and can be written to.
 */
import { expect } from 'vitest';
import { MnemeError } from '../../dist/shared/errors.js';
import { PageMismatch } from '../../dist/shared/pages/page-file.js';
import { randomFrom } from './crash-states.js';
import type { DiskImage } from './disk-image.js';
import { BOOT, EngineRun, OTHER_BOOT, type SyncMode } from './engine-run.js';
import { expectSound, goOn } from './examination.js';
import { History } from './history.js';
import { SimulatedFile, type SyncFault } from './simulated-disk.js';

/** How a write fails: with the system's code, or by so many bytes that it takes. */
const WRITE_FAULTS = {
  EIO: undefined,
  ENOSPC: undefined,
  'takes half': (length: number) => length >>> 1,
  'takes nothing': () => 0,
  'takes all but a byte': (length: number) => length - 1,
} as const;
type WriteFault = keyof typeof WRITE_FAULTS;
const SYNC_FAULTS: readonly SyncFault[] = ['drops', 'marks clean'];

type Fault =
  | { readonly kind: 'write'; readonly fault: WriteFault }
  | { readonly kind: 'sync'; readonly fault: SyncFault };

/** A history that ends early when something fails. */
interface Performed {
  readonly run: EngineRun;
  readonly history: History;
  readonly error: unknown;
}

export interface HistoryPlan {
  readonly image: DiskImage;
  readonly sync: SyncMode;
  readonly seed: number;
  readonly transactionCount: number;
}

function perform(plan: HistoryPlan, file: SimulatedFile): Performed {
  const run = new EngineRun(file, plan.sync);
  const history = new History(run, randomFrom(plan.seed));
  try {
    for (let index = 0; index < plan.transactionCount; index++) {
      history.transaction(6);
      history.rest(plan.sync);
    }
    return { run, history, error: undefined };
  } catch (error) {
    return { run, history, error };
  }
}

/** Makes the operation with this number fail; operations count from 0, by kind. */
function breakOperation(file: SimulatedFile, place: number, { kind, fault }: Fault): void {
  let [writes, syncs] = [0, 0];
  if (kind === 'sync') {
    file.syncFault = () => (syncs++ === place ? fault : undefined);
    return;
  }
  const takes = WRITE_FAULTS[fault];
  if (takes !== undefined) {
    file.takes = (length) => (writes++ === place ? takes(length) : length);
    return;
  }
  file.beforeEvent = (event) => {
    if (event !== 'write' || writes++ !== place) return;
    throw Object.assign(new Error(fault), { code: fault, syscall: 'write' });
  };
}

/** Tries every fault at every operation of a history; returns how many there were. */
export function countFaults(plan: HistoryPlan): number {
  const file = new SimulatedFile(plan.image);
  const mark = plan.image.mark();
  expect(perform(plan, file).error).toBeUndefined();
  const writes = file.events.filter(({ kind }) => kind === 'write').length;
  const syncs = file.events.filter(({ kind }) => kind === 'sync').length;
  plan.image.rollBack(mark);
  let faults = 0;
  for (let place = 0; place < writes; place++) {
    for (const fault of Object.keys(WRITE_FAULTS) as WriteFault[]) {
      tryFault(plan, place, { kind: 'write', fault });
      faults++;
    }
  }
  for (let place = 0; place < syncs; place++) {
    for (const fault of SYNC_FAULTS) {
      tryFault(plan, place, { kind: 'sync', fault });
      faults++;
    }
  }
  return faults;
}

function tryFault(plan: HistoryPlan, place: number, fault: Fault): void {
  const { image } = plan;
  const mark = image.mark();
  for (const isPowerCut of [false, true]) {
    const file = new SimulatedFile(image);
    breakOperation(file, place, fault);
    const performed = perform(plan, file);
    file.beforeEvent = () => undefined;
    file.takes = (length) => length;
    file.syncFault = () => undefined;
    try {
      examine(plan, performed, fault, isPowerCut);
    } catch (error) {
      const title = `${fault.kind} ${place} ${fault.fault}, ${isPowerCut ? 'power cut' : 'kill'}`;
      throw new Error(`seed ${plan.seed}, sync ${plan.sync}, ${title}`, { cause: error });
    }
    image.rollBack(mark);
  }
}

function examine(plan: HistoryPlan, performed: Performed, fault: Fault, isPowerCut: boolean): void {
  const { run, history, error } = performed;
  const { states } = history;
  if (error !== undefined) expectTold(error, fault);
  if (run.engine.isOpen) run.engine.abort();
  // What was never promised to be on the disk, and is not cached, may be gone; that is noticed.
  const mayMiss = plan.sync === 'none' && fault.fault === 'drops' && error !== undefined;
  const found = mayMiss ? contentOrMismatch(run) : run.content();
  if (found !== undefined) expectContent(found, [states.at(-1)]);
  if (fault.kind === 'write' && fault.fault !== 'EIO') goOnWithRoom(run, history);
  else if (error !== undefined && run.engine.hasFailed) expectRefusal(run);
  if (isPowerCut) run.file.cutPower();
  const { content } = goOn(run.file, isPowerCut ? OTHER_BOOT : BOOT);
  const oldest = plan.sync === 'full' ? states.length - 1 : newestPromise(run.file);
  expectContent(content, [...states.slice(oldest), history.inFlight]);
}

function contentOrMismatch(run: EngineRun): string | undefined {
  try {
    return run.content();
  } catch (error) {
    if (error instanceof PageMismatch) return undefined;
    throw error;
  }
}

function expectContent(found: string, allowed: readonly (string | undefined)[]): void {
  if (!allowed.includes(found)) expect(allowed).toContain(found);
}

function expectRefusal(run: EngineRun): void {
  const refusal = expect.objectContaining({ code: 'ERR_MNEME_IO' });
  expect(() => run.engine.begin()).toThrowError(refusal);
  expect(() => run.engine.sync()).toThrowError(refusal);
}

function newestPromise(file: SimulatedFile): number {
  const promised = file.events.findLast(({ kind }) => kind === 'promise');
  return promised?.kind === 'promise' ? promised.state : 0;
}

function expectTold(error: unknown, { kind, fault }: Fault): void {
  if (!(error instanceof MnemeError)) throw error;
  const isRoom = kind === 'write' && fault !== 'EIO';
  expect(error.code).toBe('ERR_MNEME_IO');
  expect(error.details['cause']).toBe(isRoom ? 'ENOSPC' : 'EIO');
}

/** A full disk has changed nothing, and work goes on when there is room. */
function goOnWithRoom(run: EngineRun, history: History): void {
  expect(run.engine.hasFailed).toBe(false);
  history.startOver();
  history.transaction(6);
  expectSound(run);
  run.engine.sync();
  run.file.promise(history.states.length - 1);
}
