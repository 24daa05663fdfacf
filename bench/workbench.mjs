/**
 * The stores of one run on disk, and their open handles.
 *
 * All files are in one temporary directory. A store is loaded in random order, as life fills it,
 * and once for each kind of value. Handles of one kind and durability stay open from row to row, so
 * that rows meet warm caches; asking for another kind closes them all first, since most stores
 * would not share a file with themselves.
 */
import assert from 'node:assert/strict';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { absentKeyAt, keyAt, valueAt } from './dataset.mjs';
import { collectGarbage, interleave, timed } from './measure.mjs';
import { isNamedBy } from './rows/row.mjs';

/** @typedef {{ name: string, handle: import('./stores/store.mjs').Handle }} Participant */
/** @typedef {import('./dataset.mjs').ValueKind} ValueKind */
/** @typedef {'sorted' | 'random'} Order */
/** @typedef {import('./measure.mjs').Samples} Samples */

// Every tenth key in shuffled order touches every leaf of a tree of 4 KiB pages.
const WARM_UP_SHARE = 10;
// Enough to bring logs, free lists and preallocated space to the state that a store in use has.
const WARM_UP_BATCHES = 15;
const WARM_UP_BATCH_COUNT = 1000;
const CHECKED_RECORDS = 100;

export class Workbench {
  /**
   * @param {import('./options.mjs').Options} options
   * @param {import('./stores/store.mjs').Store[]} stores
   * @param {import('./dataset.mjs').Dataset} dataset
   * @param {string} directory exists and is empty
   */
  constructor(options, stores, dataset, directory) {
    this.options = options;
    this.stores = stores;
    this.dataset = dataset;
    this.directory = directory;
    this.generation = 0;
    this.mode = '';
    /** @type {Map<string, import('./stores/store.mjs').Handle>} */
    this.handles = new Map();
    /** @type {Set<string>} */
    this.warmForWrites = new Set();
    /** @type {Map<string, string>} */
    this.loadedDirectories = new Map();
    /** @type {Map<Order, Promise<{ seconds: Samples, bytesPerRecord: Samples }>>} */
    this.bulkLoadsByOrder = new Map();
    /** @type {(() => Promise<void>)[]} */
    this.closings = [];
  }

  /** Rounds of a row whose slices take seconds. */
  get longRounds() {
    return Math.ceil(this.options.rounds / 3);
  }

  /** @param {string} rowId */
  storesOf(rowId) {
    return this.stores.filter(
      ({ rows }) => rows === undefined || rows.some((word) => isNamedBy(rowId, word)),
    );
  }

  /** A generation of values that no record has had yet: no store may find a write to be none. */
  nextGeneration() {
    this.generation += 1;
    return this.generation;
  }

  /**
   * @param {string} directory
   * @param {ValueKind} valueKind
   * @param {'full' | 'none'} sync
   * @returns {import('./stores/store.mjs').OpenOptions}
   */
  openOptions(directory, valueKind, sync) {
    const { cacheSizeBytes, records } = this.options;
    return { directory, valueKind, sync, purpose: 'daily', cacheSizeBytes, records };
  }

  /**
   * The stores of a row, open and warm.
   * @param {string} rowId
   * @param {ValueKind} valueKind
   * @param {'full' | 'none'} sync
   * @returns {Promise<Participant[]>}
   */
  async participants(rowId, valueKind, sync) {
    const mode = `${valueKind} ${sync}`;
    if (mode !== this.mode) await this.release();
    this.mode = mode;
    const participants = [];
    for (const store of this.storesOf(rowId)) {
      let handle = this.handles.get(store.name);
      if (handle === undefined) {
        const directory = await this.loadedDirectory(store, valueKind);
        handle = await store.open(this.openOptions(directory, valueKind, sync));
        this.handles.set(store.name, handle);
        if (!store.isYardstick) await handle.getEach(this.warmUpKeys());
      }
      participants.push({ name: store.name, handle });
    }
    return participants;
  }

  /**
   * The same, after as many writes as it takes to leave a new file's state.
   * @param {string} rowId
   * @param {'full' | 'none'} sync
   */
  async writingParticipants(rowId, sync) {
    const participants = await this.participants(rowId, 'text', sync);
    for (const { name, handle } of participants) {
      if (this.warmForWrites.has(name)) continue;
      this.warmForWrites.add(name);
      for (let batch = 0; batch < WARM_UP_BATCHES; batch += 1) {
        const start = batch * WARM_UP_BATCH_COUNT;
        const generation = this.nextGeneration();
        await handle.putBatch(this.dataset.updates(start, WARM_UP_BATCH_COUNT, generation));
      }
    }
    return participants;
  }

  warmUpKeys() {
    const { records, keys } = this.dataset;
    const indexes = this.dataset.shuffledSlice(0, Math.floor(records / WARM_UP_SHARE));
    return indexes.map((index) => keys[index]);
  }

  /** Closes every handle and brings all files to disk, so that no row pays for the one before. */
  async release() {
    for (const handle of this.handles.values()) await handle.close();
    this.handles.clear();
    for (const close of this.closings.splice(0)) await close();
    this.warmForWrites.clear();
    this.mode = '';
    syncFiles(this.directory);
    collectGarbage('major');
  }

  /**
   * For what a row leaves open to the rows after it.
   * @param {() => Promise<void>} close called once, when the next row of another kind begins
   */
  whenReleased(close) {
    this.closings.push(close);
  }

  /** @param {string} name */
  newDirectory(name) {
    const directory = join(this.directory, name);
    mkdirSync(directory);
    return directory;
  }

  /**
   * Where a store with all records is, closed unless a participant holds it.
   * @param {import('./stores/store.mjs').Store} store
   * @param {ValueKind} valueKind
   */
  async loadedDirectory(store, valueKind) {
    const name = `${store.name}-${valueKind}`;
    let directory = this.loadedDirectories.get(name);
    if (directory === undefined) {
      directory = this.newDirectory(name);
      await this.fill(store, directory, valueKind, 'random', this.dataset.all(valueKind, 'random'));
      this.loadedDirectories.set(name, directory);
    }
    return directory;
  }

  /**
   * Loads a new store and proves that it has what it was given.
   * @param {import('./stores/store.mjs').Store} store
   * @param {string} directory
   * @param {ValueKind} valueKind
   * @param {Order} order
   * @param {import('./dataset.mjs').Batch} batch
   */
  async fill(store, directory, valueKind, order, batch) {
    const options = this.openOptions(directory, valueKind, 'full');
    const loading = await store.open({ ...options, purpose: 'bulk' });
    // Closing counts, so that nothing is put off beyond the end of the measurement.
    const { seconds } = await timed(async () => {
      await loading.load(batch, order);
      await loading.close();
    });
    const sizeBytes = directorySizeBytes(directory);
    if (!store.isYardstick) await this.check(store, options);
    return { seconds, bytesPerRecord: sizeBytes / this.dataset.records };
  }

  /**
   * @param {import('./stores/store.mjs').Store} store
   * @param {import('./stores/store.mjs').OpenOptions} options
   */
  async check(store, options) {
    const handle = await store.open(options);
    const kind = options.valueKind;
    for (const index of this.dataset.shuffledSlice(0, CHECKED_RECORDS)) {
      const value = await handle.getOne(keyAt(index));
      const plain = value instanceof Uint8Array ? Buffer.from(value) : value;
      assert.deepEqual(plain, valueAt(kind, index), `${store.name} has another value`);
      const none = await handle.getOne(absentKeyAt(index));
      assert.equal(none, undefined, `${store.name} has a record that was never written`);
    }
    await handle.close();
  }

  /**
   * Loads of all records into new stores, in rounds; once for each order however often it is asked.
   * @param {Order} order
   */
  bulkLoads(order) {
    const known = this.bulkLoadsByOrder.get(order);
    if (known !== undefined) return known;
    const loads = this.measureBulkLoads(order);
    this.bulkLoadsByOrder.set(order, loads);
    return loads;
  }

  /** @param {Order} order */
  async measureBulkLoads(order) {
    await this.release();
    const participants = this.storesOf(`bulk-${order}`);
    const batch = this.dataset.all('text', order);
    /** @type {Samples} */
    const bytesPerRecord = Object.fromEntries(participants.map(({ name }) => [name, []]));
    const seconds = await interleave({
      participants,
      rounds: this.longRounds,
      warmUpRounds: 0,
      slice: async (store, round) => {
        const directory = this.newDirectory(`bulk-${order}-${store.name}-${round}`);
        collectGarbage('minor');
        const result = await this.fill(store, directory, 'text', order, batch);
        bytesPerRecord[store.name].push(result.bytesPerRecord);
        this.keepOrRemove(store, order, directory);
        return result.seconds;
      },
    });
    return { seconds, bytesPerRecord };
  }

  /**
   * A store loaded in random order serves the other rows, so it need not be loaded again.
   * @param {import('./stores/store.mjs').Store} store
   * @param {Order} order
   * @param {string} directory
   */
  keepOrRemove(store, order, directory) {
    const name = `${store.name}-text`;
    if (order === 'random' && !this.loadedDirectories.has(name)) {
      this.loadedDirectories.set(name, directory);
    } else {
      rmSync(directory, { recursive: true });
    }
  }
}

/** @param {string} directory */
function filesIn(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** @param {string} directory */
export function directorySizeBytes(directory) {
  return filesIn(directory).reduce((sum, path) => sum + statSync(path).size, 0);
}

/** @param {string} directory */
function syncFiles(directory) {
  for (const path of filesIn(directory)) {
    const file = openSync(path, 'r');
    fsyncSync(file);
    closeSync(file);
  }
}
