/**
 * The open database: its keyspaces, batches over all of them, and its life.
 */
import type { KeyObject } from 'node:crypto';
import { writeText } from '../shared/bytes/text.js';
import { invalidType, MnemeError } from '../shared/errors.js';
import { keyspaceNames } from '../shared/keyspaces/catalog.js';
import * as messages from '../shared/memory/messages.js';
import { systemClock } from '../shared/system.js';
import { backup, type CompactOptions, type CompactResult, compact } from './compact.js';
import { Core } from './core.js';
import { type DatabaseInfo, type DatabaseStats, infoOf, statsOf } from './database-stats.js';
import {
  addKey,
  type EncryptionKeyInfo,
  listKeys,
  type RotateOptions,
  removeKey,
  rotateDataKey,
  unlock,
} from './encryption-keys.js';
import type { FtKeyspace } from './fulltext.js';
import { type HybridHit, type HybridQuery, hybridSearch } from './hybrid.js';
import { checkKeyspaceName } from './keys.js';
import type { Keyspace, KeyspaceOptions } from './keyspace.js';
import { openFtKeyspace } from './open-fulltext.js';
import { openKeyspace } from './open-keyspace.js';
import { checkOptions, checkPath, type OpenOptions } from './options.js';
import { type SharedDatabase, shareCore, sharedContent } from './share.js';
import { Snapshot } from './snapshot.js';
import type { FtOptions } from './text-analysis.js';
import type { Sync } from './transaction.js';
import { type Progress, type VerifyReport, verify } from './verify.js';

/** What a batch over the whole database works with; its handles end with it. */
export interface Transaction {
  /** As `keyspace` of the database; what is written through it belongs to the batch. */
  keyspace(name: string, options: KeyspaceOptions & { keys: 'bytes' }): Keyspace<Uint8Array>;
  /** The same with keys that are text. */
  keyspace(name: string, options?: KeyspaceOptions): Keyspace;
  /** As `ftKeyspace` of the database; what is written through it belongs to the batch. */
  ftKeyspace(name: string, options?: FtOptions): FtKeyspace;
  /** As `dropKeyspace` of the database, once the batch is committed. */
  dropKeyspace(name: string): boolean;
}

/**
 * Opens a database file, creating it when it is missing; ':memory:' opens one in memory only.
 *
 * @throws {MnemeError} `ERR_MNEME_NOT_FOUND`, `ERR_MNEME_NOT_A_DATABASE`,
 * `ERR_MNEME_FORMAT_VERSION`, `ERR_MNEME_CORRUPT`, `ERR_MNEME_REMOTE_FS`, `ERR_MNEME_IO`,
 * `ERR_MNEME_KEY_NOT_AUTHORIZED` when the key opens none of the file's slots.
 */
export function open(path: string | URL, options: OpenOptions = {}): Database {
  const core = new Core(checkPath(path), checkOptions(options));
  try {
    unlock(core);
  } catch (error) {
    core.close();
    throw error;
  }
  return new Database(core);
}

/**
 * Opens what another thread shares, by the same cache and the same writer. The clock is the
 * system's. It ends when the thread that opened the database closes it.
 *
 * @throws {TypeError} for anything but what `share` returned.
 * @throws {MnemeError} `ERR_MNEME_CLOSED`.
 */
export function attach(shared: SharedDatabase): Database {
  const { path, options, places } = sharedContent(shared);
  const core = new Core(path, { ...options, clock: systemClock, identity: undefined }, places);
  if (core.isOpen) return new Database(core);
  core.close();
  throw new MnemeError('ERR_MNEME_CLOSED');
}

/** An open database. Calls return when what they do is done. */
export class Database implements Disposable {
  readonly #core: Core;

  /** @internal */
  constructor(core: Core) {
    this.#core = core;
  }

  /** As it was opened by, a URL as its path; ':memory:' for one in memory only. */
  get path(): string {
    return this.#core.path;
  }

  /** False once it is closed. */
  get isOpen(): boolean {
    return this.#core.isOpen;
  }

  /** True when it was opened for reading only. */
  get readonly(): boolean {
    return this.#core.options.readonly;
  }

  /** Makes everything durable and gives everything back. Closing twice is fine. */
  close(): void {
    this.#core.close();
  }

  /** The same as `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** What the file is. @throws {MnemeError} `ERR_MNEME_CLOSED`. */
  info(): DatabaseInfo {
    return infoOf(this.#core);
  }

  /** What the file holds now, and who holds on to what. @throws {MnemeError} `ERR_MNEME_CLOSED`. */
  stats(): DatabaseStats {
    return statsOf(this.#core, this.keyspaces().length);
  }

  /**
   * A handle of a keyspace, which comes into being with its first write.
   * @throws {MnemeError} `ERR_MNEME_TYPE_MISMATCH` when it is stored with other `keys`.
   */
  keyspace(name: string, options: KeyspaceOptions & { keys: 'bytes' }): Keyspace<Uint8Array>;
  keyspace(name: string, options?: KeyspaceOptions): Keyspace;
  keyspace(name: string, options: KeyspaceOptions = {}): Keyspace | Keyspace<Uint8Array> {
    return openKeyspace(this.#core, name, options, 0);
  }

  /**
   * A handle of a keyspace of full text, which comes into being with its first write.
   * @throws {MnemeError} `ERR_MNEME_TYPE_MISMATCH`; `ERR_MNEME_ANALYZER_MISMATCH` when it is
   * indexed by another analyzer, unless `reindex` is set.
   */
  ftKeyspace(name: string, options: FtOptions = {}): FtKeyspace {
    return openFtKeyspace(this.#core, name, options, 0);
  }

  /** The names of all keyspaces, by their bytes. */
  keyspaces(): string[] {
    const core = this.#core;
    core.assertOpen();
    if (core.transactions.isActive) return namesInBatch(core);
    return core.reading(() => keyspaceNames(core.source, core.state().catalog));
  }

  /**
   * Removes a keyspace with all that is in it; true when it existed. Its pages are freed little by
   * little, by later commits. Handles stay usable: the next write creates it anew.
   */
  dropKeyspace(name: string): boolean {
    return dropKeyspace(this.#core, name);
  }

  /**
   * Lets another identity open the encrypted keyspaces: 32 bytes, hex, or OpenSSH or PEM text of an
   * Ed25519 public key. Returns its fingerprint.
   * @throws {MnemeError} `ERR_MNEME_KEY_REQUIRED` when the database was opened without a key.
   * @throws {RangeError} for a malformed, small-order or mixed-order key.
   */
  addEncryptionKey(publicKey: Uint8Array | string | KeyObject): Uint8Array {
    return addKey(this.#core, publicKey);
  }

  /**
   * Takes an identity's slot away, by its 32-byte SHA-256 fingerprint, bytes or hex. What is
   * written from then on has a new data key; what was written before, and may have been read, has
   * not.
   * @throws {MnemeError} `ERR_MNEME_KEY_NOT_FOUND`, `ERR_MNEME_LAST_KEY`,
   * `ERR_MNEME_KEY_REQUIRED`.
   */
  removeEncryptionKey(fingerprint: Uint8Array | string): void {
    removeKey(this.#core, fingerprint);
  }

  /** Who can open the encrypted keyspaces, by fingerprint; `current` is who opened this one. */
  listEncryptionKeys(): EncryptionKeyInfo[] {
    return listKeys(this.#core);
  }

  /**
   * New pages are sealed with a new data key from here on; with `now` all pages are sealed anew,
   * and the older keys forgotten. Progress counts pages.
   * @throws {MnemeError} `ERR_MNEME_KEY_REQUIRED`, `ERR_MNEME_BATCH_ACTIVE`.
   */
  rotateDataKey(options: RotateOptions = {}): void {
    rotateDataKey(this.#core, options);
  }

  /**
   * One atomic transaction over everything; a batch inside of it is a savepoint. Returns what `fn`
   * returns; what `fn` throws undoes all of it and is thrown.
   * @throws {MnemeError} `ERR_MNEME_ASYNC_BATCH` when `fn` returns a promise, `ERR_MNEME_LOCKED`,
   * `ERR_MNEME_READONLY`.
   */
  batch<R>(fn: (tx: Transaction) => Sync<R>): R {
    if (typeof fn !== 'function') throw invalidType('fn', 'a function', fn);
    const core = this.#core;
    return core.transactions.run(() =>
      fn(new BatchTransaction(core, core.transactions.scope)),
    ) as R;
  }

  /**
   * The union of what a text search and a vector search find in one state, by reciprocal rank
   * fusion: the higher a key stands in either list, the better. Best first, equal ones by keys.
   */
  hybridSearch(query: HybridQuery): HybridHit[] {
    return hybridSearch(this.#core, query);
  }

  /**
   * What another thread of this process needs to open the same database with `attach`. It reads
   * without messages and writes through the same writer, which is started by this.
   */
  share(): SharedDatabase {
    return shareCore(this.#core);
  }

  /** An unchanging view of the last commit, inside of a batch too. */
  snapshot(): Snapshot {
    return new Snapshot(this.#core);
  }

  /** Makes everything committed so far durable. */
  sync(): void {
    this.#core.assertWritable();
    this.#core.assertNoBatch();
    if (this.#core.writer.isStarted) this.#core.control(messages.SYNC);
  }

  /** Removes all expired keys; returns how many. */
  purgeExpired(): number {
    const core = this.#core;
    core.assertWritable();
    const { writer, transactions } = core;
    if (transactions.isActive) writer.continueBatch(core.now());
    else writer.begin(true, core.now());
    writer.reserve(0);
    const flags = messages.ALL_KEYSPACES;
    writer.add({ code: messages.PURGE, flags, handle: 0, number: 0 }, 0, 0);
    if (transactions.isActive) transactions.changeCount++;
    return core.memory.f64[writer.send() >>> 3] as number;
  }

  /**
   * Copies what is live and has not expired into a new file, its pages full; this database is
   * unchanged. The copy is read back and proved before it has its name: whatever happens, the whole
   * copy has it or none. Others read and write meanwhile.
   *
   * @throws {TypeError} for the database's own path, and for ':memory:'.
   * @throws {Error} code 'EEXIST' when there is a file already, unless `overwrite` is set.
   * @throws {MnemeError} `ERR_MNEME_BATCH_ACTIVE`, `ERR_MNEME_IO`, `ERR_MNEME_CORRUPT`.
   */
  compact(outputPath: string | URL, options: CompactOptions = {}): CompactResult {
    return compact(this.#core, outputPath, options);
  }

  /**
   * The same copy for keeps: what has expired and is not purged yet goes with it.
   * @throws as `compact` does.
   */
  backup(outputPath: string | URL, options: CompactOptions = {}): CompactResult {
    return backup(this.#core, outputPath, options);
  }

  /**
   * Walks every page of the newest state: checksums, order, counts, each page reached once or free.
   * Progress counts pages; who is told may read and write meanwhile. On a handle that was opened
   * for reading, which pages are free is not known and not checked.
   */
  verify(options: { onProgress?: (progress: Progress) => void } = {}): VerifyReport {
    this.#core.assertNoBatch();
    return verify(this.#core, options.onProgress);
  }
}

class BatchTransaction implements Transaction {
  readonly #core: Core;
  readonly #scope: number;
  constructor(core: Core, scope: number) {
    this.#core = core;
    this.#scope = scope;
  }

  keyspace(name: string, options: KeyspaceOptions & { keys: 'bytes' }): Keyspace<Uint8Array>;
  keyspace(name: string, options?: KeyspaceOptions): Keyspace;
  keyspace(name: string, options: KeyspaceOptions = {}): Keyspace | Keyspace<Uint8Array> {
    this.#assertOpen();
    return openKeyspace(this.#core, name, options, this.#scope);
  }

  ftKeyspace(name: string, options: FtOptions = {}): FtKeyspace {
    this.#assertOpen();
    return openFtKeyspace(this.#core, name, options, this.#scope);
  }

  dropKeyspace(name: string): boolean {
    this.#assertOpen();
    return dropKeyspace(this.#core, name);
  }

  #assertOpen(): void {
    if (!this.#core.transactions.isOpen(this.#scope))
      throw new MnemeError('ERR_MNEME_BATCH_CLOSED');
  }
}

function dropKeyspace(core: Core, name: string): boolean {
  core.assertWritable();
  checkKeyspaceName(name);
  const { writer, transactions, memory } = core;
  if (transactions.isActive) writer.continueBatch(core.now());
  else writer.begin(true, core.now());
  const at = writer.reserve(Buffer.byteLength(name));
  const length = writeText(memory.text, name, at);
  writer.add({ code: messages.DROP, flags: 0, handle: 0, number: 0 }, 0, length);
  if (transactions.isActive) {
    transactions.changeCount++;
    transactions.sets.lose();
  }
  return memory.f64[writer.send() >>> 3] === 1;
}

function readJson<T>(core: Core, address: number): T {
  const text = core.memory.text.toString('utf8', address, address + core.writer.answerLength);
  return JSON.parse(text) as T;
}

function namesInBatch(core: Core): string[] {
  const { writer } = core;
  const names: string[] = [];
  for (;;) {
    writer.continueBatch(core.now());
    writer.reserve(0);
    writer.add({ code: messages.NAMES, flags: 0, handle: 0, number: names.length }, 0, 0);
    const more = readJson<string[]>(core, writer.send());
    if (more.length === 0) return names;
    names.push(...more);
  }
}
