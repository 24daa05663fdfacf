/**
 * The free state in the file against the one in memory: whatever was committed, given up, rolled
 * back or refused by a full disk in between, what a meta says is unused is exactly what is unused.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { claimPin, releasePin, setPin } from '../../dist/shared/memory/snapshot-pins.js';
import { FREE_LOG_BYTES_MAX, type Meta } from '../../dist/shared/pages/meta-page.js';
import { FreeList } from '../../dist/writer/pages/free-list.js';
import { FreeLog } from '../../dist/writer/pages/free-log.js';
import { announce, FREE_LOG_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';
import { EngineRun, emptyDatabase, type SyncMode } from './engine-run.js';

const KEY_COUNT = 3000;

interface Change {
  readonly key: number;
  /** Length of the new value; absent to delete. */
  readonly length: number | undefined;
}

interface Transaction {
  readonly changes: readonly Change[];
  /** The changes from here to the end of the savepoint are rolled back. */
  readonly savepoint: readonly [from: number, length: number];
  readonly end: 'commit' | 'abort';
}

interface Step {
  readonly transaction: Transaction;
  readonly writing: 'nothing' | 'write behind' | 'sync';
  readonly pins: 'keep' | 'add' | 'drop';
  /** The write that a full disk cuts off; a number past the last one for none. */
  readonly cutWrite: number;
}

const length = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 50, max: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 900, max: 9000 }) },
);
const change: fc.Arbitrary<Change> = fc.record({
  key: fc.nat(KEY_COUNT),
  length: fc.option(length, { nil: undefined, freq: 4 }),
});
const transaction: fc.Arbitrary<Transaction> = fc.record({
  changes: fc.oneof(
    { weight: 3, arbitrary: fc.array(change, { maxLength: 4 }) },
    { weight: 1, arbitrary: fc.array(change, { maxLength: 60, size: 'max' }) },
  ),
  savepoint: fc.tuple(fc.nat(60), fc.nat(30)),
  end: fc.constantFrom('commit', 'commit', 'commit', 'abort'),
});
const step: fc.Arbitrary<Step> = fc.record({
  transaction,
  writing: fc.constantFrom('nothing', 'write behind', 'write behind', 'write behind', 'sync'),
  pins: fc.constantFrom('keep', 'keep', 'add', 'drop'),
  cutWrite: fc.oneof(
    { weight: 1, arbitrary: fc.nat(12) },
    { weight: 4, arbitrary: fc.constant(1e9) },
  ),
});

function applyChange(run: EngineRun, { key, length: size }: Change): void {
  if (size === undefined) run.delete(`key ${key}`);
  else run.set(`key ${key}`, 'x'.repeat(size));
}

function perform(run: EngineRun, { changes, savepoint, end }: Transaction): void {
  const { engine } = run;
  const [from, count] = savepoint;
  engine.begin();
  for (const early of changes.slice(0, from)) applyChange(run, early);
  engine.savepoint();
  for (const undone of changes.slice(from, from + count)) applyChange(run, undone);
  engine.rollBackToSavepoint();
  for (const late of changes.slice(from + count)) applyChange(run, late);
  if (end === 'commit') engine.commit();
  else engine.abort();
}

/** Does something while one write is cut off; a full disk is the only error that it may meet. */
function onFullDisk(run: EngineRun, cutWrite: number, action: () => void): void {
  let writes = 0;
  run.file.takes = (size) => (writes++ === cutWrite ? size >>> 1 : size);
  try {
    action();
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_MNEME_IO', details: { cause: 'ENOSPC' } });
    if (run.engine.isOpen) run.engine.abort();
  }
  run.file.takes = (size) => size;
}

type PageSet = ReadonlySet<number>;

function unusedPages(free: FreeList): PageSet {
  const pages = new Set<number>();
  free.forEachUnused((start, count) => {
    for (let page = start; page < start + count; page++) pages.add(page);
  });
  return pages;
}

/** The free list as whoever opens the file reads it from its newest meta. */
function readBack({ engine }: EngineRun, durable: number): FreeList {
  const free = new FreeList(() => undefined);
  const { pages, overflow, files, freeLogBytesMax } = engine;
  const host = { pages, overflow, free, freeLogBytesMax };
  const log = new FreeLog(host, files.meta, [durable, files.meta.txnId]);
  expect(log.extents).toEqual(engine.freeExtents);
  return free;
}

/** A history as it goes on, and what of it the comparisons have to remember. */
class History {
  readonly #run: EngineRun;
  readonly #pins: number[] = [];
  #meta: Meta;
  /** Of the newest durable state: its transaction, its pages, and those of them it does not use. */
  #durable: { txnId: number; pageCount: number; unused: PageSet };
  extentsMax = 0;

  constructor(sync: SyncMode, freeLogBytesMax: number) {
    this.#run = new EngineRun(emptyDatabase(), sync, undefined, { freeLogBytesMax });
    this.#fill();
    this.#meta = this.#run.engine.files.meta;
    const { txnId, pageCount } = this.#meta;
    this.#durable = { txnId, pageCount, unused: unusedPages(this.#run.engine.free) };
  }

  /** Many leaves, so that the free pages will be in many runs. */
  #fill(): void {
    this.#run.engine.begin();
    for (let key = 0; key < KEY_COUNT; key++) this.#run.set(`key ${key}`, 'x'.repeat(250));
    this.#run.engine.commit();
    this.#run.engine.sync();
  }

  perform({ transaction: txn, writing, pins, cutWrite }: Step): void {
    const { engine } = this.#run;
    this.#movePins(pins);
    onFullDisk(this.#run, cutWrite, () => perform(this.#run, txn));
    this.#compare();
    if (writing === 'nothing') return;
    onFullDisk(this.#run, cutWrite, () =>
      writing === 'sync' ? engine.sync() : engine.writeBehind(),
    );
    this.#compare();
  }

  #movePins(pins: Step['pins']): void {
    const { memory, source } = this.#run.engine;
    if (pins === 'add') {
      const pin = claimPin(memory, source.slot);
      setPin(memory, pin, this.#run.engine.txnId);
      this.#pins.push(pin);
    }
    if (pins === 'drop') for (const pin of this.#pins.splice(0, 2)) releasePin(memory, pin);
  }

  #compare(): void {
    expect(this.#run.problems()).toEqual([]);
    const { engine } = this.#run;
    const { meta } = engine.files;
    if (meta === this.#meta) return;
    this.#meta = meta;
    const unused = unusedPages(engine.free);
    const { txnId, pageCount } = meta;
    if (!meta.weak) this.#durable = { txnId, pageCount, unused };
    const found = readBack(this.#run, this.#durable.txnId);
    expect(rising(unusedPages(found))).toEqual(rising(unused));
    const durable = this.#durable;
    found.free.forEachRun((start, count) => {
      for (let page = start; page < Math.min(start + count, durable.pageCount); page++) {
        expect(durable.unused.has(page), 'the durable state does not see it').toBe(true);
      }
    });
    this.extentsMax = Math.max(this.extentsMax, engine.freeExtents.length);
  }
}

const rising = (pages: PageSet): number[] => [...pages].sort((a, b) => a - b);

test.each(['full', 'none'] as const)('with sync %s a meta names exactly the unused pages', {
  timeout: PROPERTY_TIMEOUT_MS,
}, (sync) => {
  let longest = 0;
  const limit = fc.constantFrom(0, 24, FREE_LOG_BYTES_MAX);
  const steps = fc.array(step, { maxLength: FREE_LOG_COUNTS.stepsMax, size: 'max' });
  const property = fc.property(limit, steps, (freeLogBytesMax, performed) => {
    const history = new History(sync, freeLogBytesMax);
    for (const each of performed) history.perform(each);
    longest = Math.max(longest, history.extentsMax);
  });
  fc.assert(property, { seed: SEED, numRuns: FREE_LOG_COUNTS.histories, endOnFailure: true });
  expect(longest, 'extents follow one another').toBeGreaterThan(1);
  announce(`free log, sync ${sync}, ${longest} extents at most`, FREE_LOG_COUNTS.histories);
});
