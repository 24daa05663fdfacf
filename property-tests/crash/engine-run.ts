/**
 * The real engine on a simulated disk, in one thread, and what each committed state holds.
 */
import { createDatabaseFile } from '../../dist/api/create-file.js';
import { publicKeyFromSeed } from '../../dist/api/key-files.js';
import { toX25519Secret } from '../../dist/shared/bytes/identity-keys.js';
import {
  OVERFLOW_FLAG,
  payloadOffset,
  recordDeadline,
  recordNumber,
} from '../../dist/shared/bytes/value-codec.js';
import { type KeyspaceRecord, listKeyspaces } from '../../dist/shared/keyspaces/catalog.js';
import { entriesFrom, numberKey, recordOf, textOf } from '../../dist/shared/keyspaces/fulltext.js';
import { TermStream } from '../../dist/shared/keyspaces/term-stream.js';
import { newTextState } from '../../dist/shared/keyspaces/text-state.js';
import { readLongPayload, readValue } from '../../dist/shared/keyspaces/values.js';
import { keyOfSlot, readOriginal } from '../../dist/shared/keyspaces/vector.js';
import { PIN_LIMIT_WORD } from '../../dist/shared/memory/control-block.js';
import { KeyArea } from '../../dist/shared/memory/key-area.js';
import {
  CONTROL_ADDRESS,
  createMemoryHandle,
  PIN_BYTES,
  PINS_ADDRESS,
  SharedMemory,
} from '../../dist/shared/memory/shared-memory.js';
import { claimThreadSlot } from '../../dist/shared/memory/thread-slots.js';
import { NO_LOCKS } from '../../dist/shared/pages/file-locks.js';
import { entryCount } from '../../dist/shared/pages/page.js';
import type { PageSource } from '../../dist/shared/pages/page-source.js';
import { Cursor } from '../../dist/shared/tree/cursor.js';
import { copyKey, valueAddress, valueLength } from '../../dist/shared/tree/node.js';
import { checkFile } from '../../dist/writer/check-file.js';
import { Engine } from '../../dist/writer/engine.js';
import { CatalogWriter } from '../../dist/writer/keyspaces/catalog.js';
import { TextWriter } from '../../dist/writer/keyspaces/fulltext.js';
import type { OpenKeyspace } from '../../dist/writer/keyspaces/open-keyspace.js';
import { ValuesWriter } from '../../dist/writer/keyspaces/values.js';
import { VectorsWriter } from '../../dist/writer/keyspaces/vector.js';
import { DiskImage } from './disk-image.js';
import { SimulatedFile } from './simulated-disk.js';

export const BOOT = new Uint8Array(16).fill(1);
export const OTHER_BOOT = new Uint8Array(16).fill(2);
export type SyncMode = 'full' | 'none';

const KEY_BYTES_MAX = 2048;
const memory = new SharedMemory(createMemoryHandle(4096, 2 ** 20));
const foundKey = Buffer.alloc(KEY_BYTES_MAX);
/** Fewer than a user can have, so that commits of some dozens of pages are written early. */
const SMALL_FRAME_COUNT = 32;
const smallMemory = new SharedMemory({ ...memory.handle, frameCount: SMALL_FRAME_COUNT });

/** What a run has less of than usual. */
export interface RunLimits {
  readonly freeLogBytesMax?: number;
  readonly isCacheSmall?: boolean;
}

/** Who opens the files of runs that encrypt. */
const SEED_BYTES = new Uint8Array(32).fill(7);
const IDENTITY = {
  publicKey: publicKeyFromSeed(SEED_BYTES),
  x25519Secret: toX25519Secret(SEED_BYTES),
};
let encrypts = false;

/** From here on all keyspaces of all runs are encrypted. */
export function encryptAll(): void {
  encrypts = true;
}

/** The memory as it is when a process starts; the same one serves every run. */
export function freshMemory(isSmall = false): SharedMemory {
  const shared = isSmall ? smallMemory : memory;
  const pinsEnd = PINS_ADDRESS + (memory.i32[PIN_LIMIT_WORD] as number) * PIN_BYTES;
  memory.u8.fill(0, CONTROL_ADDRESS, pinsEnd);
  shared.u8.fill(0, shared.tableAddress, shared.framesAddress);
  const keys = new KeyArea(shared);
  keys.clear();
  if (encrypts) keys.setIdentity(IDENTITY);
  return shared;
}

export function emptyDatabase(): DiskImage {
  const image = new DiskImage();
  const file = new SimulatedFile(image);
  const storage = {
    ...{ open: () => file, create: () => file, link: () => undefined, unlink: () => undefined },
    ...{ syncDirectory: () => undefined, isRemote: () => false, locksOf: () => NO_LOCKS },
    ...{ identity: () => '', isStillAt: () => true, map: () => undefined },
    ...{ identityAt: () => '', rename: () => undefined, truncate: () => undefined },
  };
  const shared = freshMemory();
  createDatabaseFile(storage, 'file', shared, shared.scratchAddress(0), 4096, () => 0);
  image.settle();
  return image;
}

/** The keyspace of documents. */
export const TEXTS = 'c';
export const SETTINGS = { analyzerName: 'spaces', k1: 1.2, b: 0.75, positions: false };
const REBUILT_AT_ONCE = 5;
const KEYS_MAX = 1000;

export class EngineRun {
  readonly engine: Engine;
  readonly file: SimulatedFile;
  readonly #values: ValuesWriter;
  readonly #vectors: VectorsWriter;
  readonly #texts: TextWriter;
  readonly #catalog: CatalogWriter;

  constructor(
    disk: DiskImage | SimulatedFile,
    sync: SyncMode,
    bootId: Uint8Array = BOOT,
    { isCacheSmall, ...limits }: RunLimits = {},
  ) {
    const shared = freshMemory(isCacheSmall);
    this.file = disk instanceof DiskImage ? new SimulatedFile(disk) : disk;
    const slot = claimThreadSlot(shared, 0);
    this.engine = new Engine({
      ...{ memory: shared, slot, file: this.file, bootId, sync, locks: NO_LOCKS, ...limits },
    });
    this.#values = new ValuesWriter(this.engine);
    this.#vectors = new VectorsWriter(this.engine);
    this.#texts = new TextWriter(this.engine);
    this.#catalog = new CatalogWriter(this.engine);
  }

  #keyspace(name: string): OpenKeyspace {
    return this.engine.keyspace(name, { encrypted: encrypts });
  }

  /** Sets a text; `deadline` 0 for none. */
  set(key: string, value: string, deadline = 0, keyspace = 'a'): void {
    this.engine.relieveCache();
    const bytes = Buffer.from(key);
    const record = Buffer.from(`\0${value}`);
    const place = { bytes, start: 0, end: bytes.length };
    const opened = this.#keyspace(keyspace);
    this.#values.set(opened, place, record, 0, record.length, { keep: false, deadline }, 0);
  }

  setVector(key: string, vector: Float32Array, keyspace = 'a'): void {
    this.engine.relieveCache();
    const bytes = Buffer.from(key);
    const opened = this.#keyspace(keyspace);
    const start = memory.scratchAddress(0);
    memory.u8.set(new Uint8Array(vector.buffer), start);
    const place = { bytes, start: 0, end: bytes.length };
    this.#vectors.set(opened, place, start, start + vector.byteLength);
  }

  /** Deletes a key's value and its vector. */
  delete(key: string, keyspace = 'a'): void {
    this.engine.relieveCache();
    const bytes = Buffer.from(key);
    this.#values.delete(this.#keyspace(keyspace), { bytes, start: 0, end: bytes.length }, 0);
    this.deleteVector(key, keyspace);
  }

  deleteVector(key: string, keyspace = 'a'): void {
    const bytes = Buffer.from(key);
    this.#vectors.delete(this.#keyspace(keyspace), { bytes, start: 0, end: bytes.length });
  }

  /** Deletes the values and vectors of the keys from `low` up to, not including, `high`. */
  deleteRange(low: string, high: string | undefined, keyspace = 'a'): void {
    const to = high === undefined ? undefined : Buffer.from(high);
    const opened = this.#keyspace(keyspace);
    this.#values.deleteRange(opened, Buffer.from(low), to, 0);
    this.#vectors.deleteRange(opened, Buffer.from(low), to);
  }

  /** Puts a document of words. */
  putText(id: string, text: string): void {
    this.engine.relieveCache();
    const key = Buffer.from(id);
    const record = Buffer.from(`\0${text}`);
    const sent = { bytes: record, start: 0, end: record.length, extents: undefined };
    const place = { bytes: key, start: 0, end: key.length };
    this.#texts.put(this.#documents(), place, termsOf(text), sent);
  }

  deleteText(id: string): void {
    this.engine.relieveCache();
    const key = Buffer.from(id);
    this.#texts.delete(this.#documents(), { bytes: key, start: 0, end: key.length });
  }

  pauseIndexing(): void {
    this.#texts.pause(this.#documents());
  }

  /** Begins a rebuild, or goes on with the one that is under way, or ends it. */
  rebuildSome(): void {
    this.#texts.settle();
    const keyspace = this.#documents();
    const { record, source } = keyspace;
    if (record.text?.building !== true) {
      this.#texts.beginRebuild(keyspace, { positions: false });
      return;
    }
    const { cursor } = record.text;
    const next = entriesFrom(source, record.numbers, cursor + 1, REBUILT_AT_ONCE);
    const numbers = next.length > 0 ? next : entriesFrom(source, record.nextPending, 0, KEYS_MAX);
    for (const { number } of numbers) {
      const id = recordOf(source, record.numbers, numberKey(number));
      const old = id && recordOf(source, record.values, id);
      if (id !== undefined && old !== undefined && recordNumber(old, 0) === number) {
        this.#texts.index(keyspace, number, termsOf(textOf(source, record, id)));
      } else this.#texts.unindex(keyspace, number);
      this.#texts.settle();
    }
    const isBuilt = next.every(({ number }) => number <= (record.text?.cursor ?? 0));
    if (next.length === 0 || !isBuilt) this.#texts.endRebuild(keyspace, SETTINGS);
  }

  #documents(): OpenKeyspace {
    const keyspace = this.#keyspace(TEXTS);
    if (!keyspace.exists && !keyspace.changed) keyspace.record.text = newTextState(SETTINGS);
    return keyspace;
  }

  /** Begins a transaction; what one before has gathered and lost is forgotten. */
  begin(): void {
    this.#texts.forget();
    this.engine.begin();
  }

  /** Removes what has expired at `now`. */
  purge(keyspace: string, now: number): void {
    this.#values.purge(this.#keyspace(keyspace), now);
  }

  drop(keyspace: string): void {
    this.#texts.settle();
    this.#catalog.drop(keyspace);
  }

  /** Commits as the writer does: a part of what was dropped is freed with it. */
  commit(): void {
    this.#texts.settle();
    if (!this.engine.isUnchanged) this.#catalog.freeSome();
    this.engine.commit();
  }

  /** Everything that the newest committed state holds, as text: a line an entry. */
  content(): string {
    const plain = this.engine.enterCatalog();
    const lines: string[] = [];
    for (const { name, record } of listKeyspaces(plain, this.engine.catalog)) {
      const source = plain.of(record);
      const cursor = new Cursor(source, record.values);
      if (cursor.seekRank(0)) {
        do this.#addLeaf(lines, name, source, cursor.leaf());
        while (cursor.moveLeaf(1));
      }
      this.#addVectors(lines, name, source, record);
    }
    return lines.join('\n');
  }

  /** By their slots, in the order of their keys. */
  #addVectors(lines: string[], name: string, source: PageSource, record: KeyspaceRecord): void {
    const found: string[] = [];
    for (let slot = 0; slot < record.vectorSlots.count; slot++) {
      const key = Buffer.from(keyOfSlot(source, record, slot)).toString('latin1');
      found.push(vectorLine(name, key, readOriginal(source, record, slot)));
    }
    lines.push(...found.sort());
  }

  #addLeaf(lines: string[], name: string, source: PageSource, leaf: number): void {
    const { u8, text } = memory;
    for (let index = 0; index < entryCount(memory, leaf); index++) {
      const key = foundKey.toString('latin1', 0, copyKey(memory, leaf, index, foundKey, 0));
      const at = valueAddress(memory, leaf, index);
      const length = valueLength(memory, leaf, index);
      const isLong = ((u8[at] as number) & OVERFLOW_FLAG) !== 0;
      const value = isLong
        ? readLongPayload(source, u8, at, length).toString('latin1')
        : text.toString('latin1', payloadOffset(u8, at), at + length);
      lines.push(contentLine(name, key, recordDeadline(u8, at), value));
    }
  }

  /** Keys and values of a keyspace in the newest committed state, each found by its key. */
  read(keyspace = 'a'): ReadonlyMap<string, string> {
    const plain = this.engine.enterCatalog();
    const { catalog } = this.engine;
    const found = new Map<string, string>();
    const record = listKeyspaces(plain, catalog).find(({ name }) => name === keyspace)?.record;
    if (record === undefined) return found;
    const cursor = new Cursor(plain.of(record), record.values);
    if (!cursor.seekRank(0)) return found;
    const keys: string[] = [];
    do {
      const leaf = cursor.leaf();
      for (let index = 0; index < entryCount(memory, leaf); index++) {
        keys.push(foundKey.toString('utf8', 0, copyKey(memory, leaf, index, foundKey, 0)));
      }
    } while (cursor.moveLeaf(1));
    for (const key of keys) found.set(key, String(this.get(key, keyspace)));
    return found;
  }

  /** The value of one key of the newest committed state. */
  get(key: string, keyspace = 'a'): unknown {
    const { catalog } = this.engine;
    const plain = this.engine.enterCatalog();
    const record = listKeyspaces(plain, catalog).find(({ name }) => name === keyspace)?.record;
    if (record === undefined) return undefined;
    const source = plain.of(record);
    const bytes = Buffer.from(key);
    const start = source.placeKey(bytes);
    return readValue(source, record.values, start, start + bytes.length, () => 0, 'auto');
  }

  /** What is wrong with the file, if anything. */
  problems(): readonly { readonly message: string }[] {
    return checkFile(this.engine).problems;
  }
}

/** The words of a text as they are sent. */
export function termsOf(text: string) {
  const stream = new TermStream();
  for (const term of text.split(' ')) stream.addTerm(term);
  return { bytes: stream.bytes, start: 0, end: stream.length };
}

export function contentLine(
  keyspace: string,
  key: string,
  deadline: number,
  value: string,
): string {
  return `${keyspace} ${key} ${deadline} ${value}`;
}

/** A vector's line says how long it is and a sum of its bytes. */
export function vectorLine(keyspace: string, key: string, vector: Float32Array): string {
  let sum = 0;
  for (const word of new Int32Array(vector.buffer)) sum = Math.imul(sum ^ word, 0x9e3779b1) ^ word;
  return `${keyspace} ${key} vector ${vector.length} ${sum}`;
}
