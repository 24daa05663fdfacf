/**
 * The stores of one set of vectors, filled and open, and what several rows want of them.
 *
 * One set is open at a time: a row that wants another closes all stores of the one before. A filled
 * directory stays, so that rows on files and fresh processes find it.
 */
import assert from 'node:assert/strict';
import { median } from 'd3-array';
import { interleave } from './measure.mjs';
import { NEAREST_COUNT } from './stores/vectors.mjs';
import { Agreement } from './vector-agreement.mjs';
import { QUERY_COUNT, shapeOf, VectorSet } from './vector-sets.mjs';

/** @typedef {import('./measure.mjs').Samples} Samples */
/** @typedef {{ name: string, vectors: import('./stores/vectors.mjs').Vectors }} Player */

const QUERIES_PER_SLICE = 11;
const QUICK_QUERIES_PER_SLICE = 5;

/** @type {WeakMap<import('./workbench.mjs').Workbench, VectorWorkbench>} */
const byWorkbench = new WeakMap();

/** @param {import('./workbench.mjs').Workbench} workbench */
export function vectorWorkbench(workbench) {
  const known = byWorkbench.get(workbench) ?? new VectorWorkbench(workbench);
  byWorkbench.set(workbench, known);
  return known;
}

export class VectorWorkbench {
  /** @param {import('./workbench.mjs').Workbench} workbench */
  constructor(workbench) {
    this.workbench = workbench;
    this.queriesPerSlice = workbench.options.quick ? QUICK_QUERIES_PER_SLICE : QUERIES_PER_SLICE;
    /** What stores are opened with; a search names its own number. */
    this.threadsMax = 2;
    /** @type {Map<string, import('./vector-sets.mjs').Shape>} */
    this.shapes = new Map();
    /** @type {{ set: VectorSet, players: Player[] } | undefined} */
    this.current = undefined;
    /** @type {Map<string, string>} */
    this.directories = new Map();
    /** @type {Map<string, Promise<Samples>>} */
    this.latenciesBySet = new Map();
  }

  /** @param {string} setName */
  shape(setName) {
    return this.shapes.get(setName) ?? shapeOf(setName, this.workbench.options.quick);
  }

  /**
   * Makes a set known that is not one of the usual.
   * @param {import('./vector-sets.mjs').Shape} shape
   * @returns {string} its name
   */
  declare(shape) {
    this.shapes.set(shape.name, shape);
    return shape.name;
  }

  /** @param {string} setName */
  stores(setName) {
    return this.workbench
      .storesOf(`vector-${setName}`)
      .filter(({ openVectors }) => openVectors !== undefined);
  }

  /**
   * The set and its stores, all of them filled and open.
   * @param {string} setName
   */
  async opened(setName) {
    if (this.current?.set.name === setName) return this.current;
    await this.workbench.release();
    const set = new VectorSet(this.shape(setName));
    /** @type {Player[]} */
    const players = [];
    const current = { set, players };
    this.current = current;
    this.workbench.whenReleased(() => this.close());
    for (const store of this.stores(setName)) {
      players.push(await this.filledPlayer(store, set));
    }
    return current;
  }

  /**
   * @param {import('./stores/store.mjs').Store} store
   * @param {VectorSet} set
   * @returns {Promise<Player>}
   */
  async filledPlayer(store, set) {
    const place = `${set.name}-${store.name}`;
    const known = this.directories.get(place);
    const directory = known ?? this.workbench.newDirectory(`vector-${place}`);
    const vectors = await this.openedIn(store, set, directory);
    // What is held in memory is gone when it is closed; a database is where it was.
    if (known === undefined || vectors.insertBatch === undefined) await vectors.fill();
    this.directories.set(place, directory);
    return { name: store.name, vectors };
  }

  /**
   * @param {import('./stores/store.mjs').Store} store
   * @param {VectorSet} set
   * @param {string} directory
   */
  async openedIn({ name, openVectors }, set, directory) {
    assert.ok(openVectors, `${name} has no vectors`);
    const { cacheSizeBytes } = this.workbench.options;
    return openVectors({ directory, cacheSizeBytes, set, threads: this.threadsMax });
  }

  /**
   * The directory of a store that has been filled with a set; nobody has it open.
   * @param {import('./stores/store.mjs').Store} store
   * @param {string} setName
   */
  async closedDirectory(store, setName) {
    const place = `${setName}-${store.name}`;
    if (!this.directories.has(place)) await this.opened(setName);
    await this.workbench.release();
    return /** @type {string} */ (this.directories.get(place));
  }

  /**
   * Queries of a round; they start again when there are no more.
   * @param {number} round
   * @param {number} count
   */
  queriesOf(round, count) {
    const first = (round * count) % (QUERY_COUNT - count + 1);
    return { first, last: first + count };
  }

  /**
   * Milliseconds of a search with one thread, of every store; measured once however often asked.
   * @param {string} setName
   */
  latencies(setName) {
    const known = this.latenciesBySet.get(setName);
    if (known !== undefined) return known;
    const latencies = this.measureLatencies(setName);
    this.latenciesBySet.set(setName, latencies);
    return latencies;
  }

  /** @param {string} setName */
  async measureLatencies(setName) {
    const { set, players } = await this.opened(setName);
    const agreement = new Agreement(set);
    const samples = await interleave({
      participants: players,
      rounds: this.workbench.options.rounds,
      warmUpRounds: 1,
      slice: async ({ name, vectors }, round) => {
        const { first, last } = this.queriesOf(round, this.queriesPerSlice);
        const { milliseconds, nearest } = await vectors.search(first, last);
        agreement.note(name, first, nearest);
        return /** @type {number} */ (median(milliseconds));
      },
    });
    const lists = agreement.verify(NEAREST_COUNT);
    const what = `${lists} lists of the nearest, of ${players.length} stores, on ${setName}`;
    console.error(`${what}: all agree`);
    return samples;
  }

  async close() {
    const players = this.current?.players ?? [];
    this.current = undefined;
    for (const { vectors } of players) await vectors.close();
  }
}
