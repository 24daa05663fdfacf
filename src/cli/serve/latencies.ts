/**
 * How long operations take here, as they happen: the page's own, and a few that are made to be
 * measured, on whatever keys there are. A reading is over what happened since the last one.
 */
import { createHistogram, performance, type RecordableHistogram } from 'node:perf_hooks';
import type { Database } from '../../api/database.js';
import { inventoryOf, type KeyspaceInventory } from '../../api/inventory.js';
import type { Snapshot } from '../../api/snapshot.js';
import { isLocked } from '../../shared/keyspaces/page-owners.js';
import { OPERATIONS, type Operation, type Reading } from './answers.js';

/** Probes of each keyspace that is looked at. */
const GETS = 16;
const SCANNED = 100;
const KEYSPACES_MAX = 4;
const QUERY_CHARACTERS = 24;
const IDLE: Reading = { count: 0, p50: 0, p99: 0, max: 0 };

export class Latencies {
  readonly #histograms = new Map<Operation, RecordableHistogram>();

  constructor() {
    for (const operation of OPERATIONS) this.#histograms.set(operation, createHistogram());
  }

  /** Does something, and notes how long it took. */
  time<T>(operation: Operation, work: () => T): T {
    const start = performance.now();
    try {
      return work();
    } finally {
      const ns = Math.max(1, Math.round((performance.now() - start) * 1e6));
      this.#histograms.get(operation)?.record(ns);
    }
  }

  /** What happened since the last reading. */
  read(): Record<Operation, Reading> {
    const readings = OPERATIONS.map((operation) => [operation, this.#readOne(operation)] as const);
    return Object.fromEntries(readings) as Record<Operation, Reading>;
  }

  #readOne(operation: Operation): Reading {
    const histogram = this.#histograms.get(operation);
    if (histogram === undefined || histogram.count === 0) return IDLE;
    const { count } = histogram;
    const [p50, p99] = [histogram.percentile(50) / 1000, histogram.percentile(99) / 1000];
    const max = histogram.max / 1000;
    histogram.reset();
    return { count, p50, p99, max };
  }

  /** Reads some keys of the newest state, anywhere. */
  probe(database: Database): void {
    const snapshot = this.time('snapshot', () => database.snapshot());
    try {
      for (const name of someOf(database.keyspaces(), KEYSPACES_MAX)) {
        try {
          for (const about of inventoryOf(snapshot, [name])) this.#probeKeyspace(snapshot, about);
        } catch (error) {
          if (!isLocked(error)) throw error;
        }
      }
    } finally {
      snapshot.close();
    }
  }

  #probeKeyspace(snapshot: Snapshot, about: KeyspaceInventory): void {
    const { name, keys } = about;
    if (about.settings !== undefined) {
      this.#probeTexts(snapshot, name);
      return;
    }
    const reader = snapshot.keyspace(name, { keys: keys as 'text' });
    const count = reader.count();
    if (count === 0) return;
    for (let times = 0; times < GETS; times++) {
      const [key] = reader.range({ offset: below(count), limit: 1 }).toArray()[0] ?? [];
      if (key !== undefined) this.time('get', () => reader.get(key));
    }
    const offset = below(Math.max(1, count - SCANNED));
    this.time('scan', () => reader.range({ offset, limit: SCANNED }).toArray());
  }

  #probeTexts(snapshot: Snapshot, name: string): void {
    const reader = snapshot.ftKeyspace(name);
    const first = reader.scan().next();
    if (first.done === true) return;
    const query = first.value[1].slice(0, QUERY_CHARACTERS);
    this.time('text search', () => reader.search(query));
  }
}

function below(count: number): number {
  return Math.floor(Math.random() * count);
}

function someOf<T>(items: readonly T[], count: number): T[] {
  const start = below(items.length);
  return Array.from({ length: Math.min(count, items.length) }, (_, index) => {
    return items[(start + index) % items.length] as T;
  });
}
