/**
 * Uses a damaged file with the engine alone, in every way there is, and says what went wrong beside
 * what may: an answer, or an error that says what is the matter with the file.
 */
import { searchVectors } from '../../dist/reader/vector-search.js';
import { METRICS } from '../../dist/shared/bytes/vector-codes.js';
import { MnemeError } from '../../dist/shared/errors.js';
import { type KeyspaceRecord, listKeyspaces } from '../../dist/shared/keyspaces/catalog.js';
import { expiredCount, expiredKeys } from '../../dist/shared/keyspaces/expiry.js';
import { PageMismatch } from '../../dist/shared/pages/page-file.js';
import { Cursor, rankOf } from '../../dist/shared/tree/cursor.js';
import type { DiskImage } from '../crash/disk-image.js';
import { EngineRun } from '../crash/engine-run.js';
import {
  DEADLINE,
  DEEP_COUNT,
  deepKey,
  plainKey,
  SMALL_KEYSPACES,
  smallVector,
  VECTOR_COUNT,
} from './small-file.js';

const NOW = DEADLINE + 5;
const KEYS = [deepKey(3), deepKey(30), plainKey(7), plainKey(1), plainKey(99)];
const CODES: ReadonlySet<string> = new Set([
  'ERR_MNEME_NOT_A_DATABASE',
  'ERR_MNEME_FORMAT_VERSION',
  'ERR_MNEME_CORRUPT',
  'ERR_MNEME_DIMENSION_MISMATCH',
]);
/** What a damaged file of a few hundred kilobytes may become by what is done to it here. */
const FILE_BYTES_MAX = 2 ** 22;

export class EngineExamination {
  /** What must not happen, and where it did. */
  readonly faults: string[] = [];
  /** What was noticed, each once. */
  readonly codes = new Set<string>();
  readonly #image: DiskImage;
  readonly #share: number;
  readonly #random: () => number;

  /** @param share - Of all that can be done with a file, how much is, by chance. */
  constructor(image: DiskImage, share = 1, random: () => number = () => 0) {
    this.#image = image;
    this.#share = share;
    this.#random = random;
  }

  #isChosen(): boolean {
    return this.#random() < this.#share;
  }

  /** Reads, writes, and reads again. The image is as it was at the end. */
  run(): void {
    const mark = this.#image.mark();
    const run = this.#open();
    if (run !== undefined) {
      this.#read(run);
      this.#write(run);
      this.#attempt('close', () => run.engine.close());
      const again = this.#isChosen() ? this.#open() : undefined;
      if (again !== undefined) this.#read(again);
      if (this.#image.size > FILE_BYTES_MAX) this.faults.push('the file has grown too long');
    }
    this.#image.rollBack(mark);
  }

  #open(): EngineRun | undefined {
    return this.#attempt('open', () => new EngineRun(this.#image, 'full'));
  }

  #attempt<T>(title: string, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!this.#isAllowed(error)) {
        this.faults.push(`${title}: ${error instanceof Error ? error.stack : String(error)}`);
      }
      return undefined;
    }
  }

  #isAllowed(error: unknown): boolean {
    if (error instanceof PageMismatch) {
      this.codes.add('ERR_MNEME_CORRUPT');
      return true;
    }
    if (!(error instanceof MnemeError)) return false;
    this.codes.add(error.code);
    // What broke a commit is told of once; from then on the engine refuses to write.
    const refuses = error.code === 'ERR_MNEME_IO' && 'reason' in error.details;
    return refuses || CODES.has(error.code);
  }

  #read(run: EngineRun): void {
    const { source, catalog } = run.engine;
    this.#attempt('content', () => run.content());
    if (this.#isChosen()) this.#attempt('problems', () => run.problems());
    for (const keyspace of SMALL_KEYSPACES) {
      for (const key of KEYS) {
        if (this.#isChosen()) this.#attempt('get', () => run.get(key, keyspace));
      }
    }
    if (!this.#isChosen()) return;
    const found = this.#attempt('keyspaces', () => listKeyspaces(source, catalog)) ?? [];
    for (const { record } of found) {
      this.#attempt('expired', () => expiredKeys(source, record.expiry, NOW, 50));
      this.#attempt('expired count', () => expiredCount(source, record.expiry, NOW));
      this.#attempt('rank', () => rankOf(source, record.values, Buffer.from(plainKey(9))));
      this.#attempt('search', () => this.#search(run, record));
      this.#attempt('last leaves', () => {
        const cursor = new Cursor(source, record.values);
        if (cursor.seekRank(record.values.count - 1)) while (cursor.moveLeaf(-1));
      });
    }
  }

  #search(run: EngineRun, record: KeyspaceRecord): void {
    const { source } = run.engine;
    if (record.dimension !== smallVector(0).length) return; // a query has to be as long
    const queries = METRICS.map((metric, index) => {
      return { vector: smallVector(index), metric, topK: 5, includeVectors: index === 0 };
    });
    source.enter();
    try {
      searchVectors(source, record, queries, undefined);
    } finally {
      source.leave();
    }
  }

  /** Each in a transaction of its own, since the first error ends one. */
  #write(run: EngineRun): void {
    const writes: (() => void)[] = [
      () => run.set(plainKey(1), 'anew', NOW, 'expiring'),
      () => run.set(plainKey(7), 'z'.repeat(6000), 0, 'plain'),
      () => run.set(deepKey(11), 'z'.repeat(300), 0, 'deep'),
      () => run.set(deepKey(DEEP_COUNT), 'new', 0, 'deep'),
      () => run.delete(plainKey(30), 'plain'),
      () => run.delete(plainKey(6), 'expiring'),
      () => run.deleteRange(plainKey(10), plainKey(40), 'expiring'),
      () => run.deleteRange('deep 2', 'deep 5', 'deep'),
      () => run.purge('expiring', NOW),
      () => this.#fill(run),
      () => run.setVector(plainKey(5), smallVector(500), 'vectors'),
      () => run.setVector(plainKey(500), smallVector(5), 'vectors'),
      () => run.delete(plainKey(8), 'vectors'),
      () => run.deleteVector(plainKey(VECTOR_COUNT - 1), 'vectors'),
      () => run.deleteRange(plainKey(30), plainKey(34), 'vectors'),
      () => run.drop('plain'),
      () => run.deleteRange('', undefined, 'deep'),
      () => run.deleteRange('', undefined, 'vectors'),
    ];
    for (const write of writes) {
      if (!this.#isChosen()) continue;
      this.#attempt(String(write), () => {
        run.engine.begin();
        write();
        run.commit();
      });
      if (run.engine.isOpen) this.#attempt('abort', () => run.engine.abort());
    }
  }

  /** Takes the pages that the file says are free. */
  #fill(run: EngineRun): void {
    for (let index = 0; index < 12; index++) run.set(plainKey(index), 'n'.repeat(900), 0, 'new');
    run.set('large', 'n'.repeat(9000), 0, 'new');
  }
}
