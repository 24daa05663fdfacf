/**
 * The real engine on a simulated disk, in one thread, and what each committed state holds.
 */
import { createDatabaseFile } from '../../dist/api/create-file.js';
import {
  OVERFLOW_FLAG,
  payloadOffset,
  recordDeadline,
} from '../../dist/shared/bytes/value-codec.js';
import { type KeyspaceRecord, listKeyspaces } from '../../dist/shared/keyspaces/catalog.js';
import { readLongPayload, readValue } from '../../dist/shared/keyspaces/values.js';
import { keyOfSlot, readOriginal } from '../../dist/shared/keyspaces/vector.js';
import { PIN_LIMIT_WORD } from '../../dist/shared/memory/control-block.js';
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
import { Cursor } from '../../dist/shared/tree/cursor.js';
import { copyKey, valueAddress, valueLength } from '../../dist/shared/tree/node.js';
import { checkFile } from '../../dist/writer/check-file.js';
import { Engine } from '../../dist/writer/engine.js';
import { CatalogWriter } from '../../dist/writer/keyspaces/catalog.js';
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

/** The memory as it is when a process starts; the same one serves every run. */
export function freshMemory(isSmall = false): SharedMemory {
  const shared = isSmall ? smallMemory : memory;
  const pinsEnd = PINS_ADDRESS + (memory.i32[PIN_LIMIT_WORD] as number) * PIN_BYTES;
  memory.u8.fill(0, CONTROL_ADDRESS, pinsEnd);
  shared.u8.fill(0, shared.tableAddress, shared.framesAddress);
  return shared;
}

export function emptyDatabase(): DiskImage {
  const image = new DiskImage();
  const file = new SimulatedFile(image);
  const storage = {
    ...{ open: () => file, create: () => file, link: () => undefined, unlink: () => undefined },
    ...{ syncDirectory: () => undefined, isRemote: () => false, locksOf: () => NO_LOCKS },
    ...{ identity: () => '', isStillAt: () => true, map: () => undefined },
  };
  const shared = freshMemory();
  createDatabaseFile(storage, 'file', shared, shared.scratchAddress(0), 4096, () => 0);
  image.settle();
  return image;
}

export class EngineRun {
  readonly engine: Engine;
  readonly file: SimulatedFile;
  readonly #values: ValuesWriter;
  readonly #vectors: VectorsWriter;
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
    this.#catalog = new CatalogWriter(this.engine);
  }

  /** Sets a text; `deadline` 0 for none. */
  set(key: string, value: string, deadline = 0, keyspace = 'a'): void {
    this.engine.relieveCache();
    const bytes = Buffer.from(key);
    const record = Buffer.from(`\0${value}`);
    const place = { bytes, start: 0, end: bytes.length };
    const opened = this.engine.keyspace(keyspace);
    this.#values.set(opened, place, record, 0, record.length, { keep: false, deadline }, 0);
  }

  setVector(key: string, vector: Float32Array, keyspace = 'a'): void {
    this.engine.relieveCache();
    const bytes = Buffer.from(key);
    const opened = this.engine.keyspace(keyspace);
    const start = memory.scratchAddress(0);
    memory.u8.set(new Uint8Array(vector.buffer), start);
    const place = { bytes, start: 0, end: bytes.length };
    this.#vectors.set(opened, place, start, start + vector.byteLength);
  }

  /** Deletes a key's value and its vector. */
  delete(key: string, keyspace = 'a'): void {
    this.engine.relieveCache();
    const bytes = Buffer.from(key);
    this.#values.delete(this.engine.keyspace(keyspace), { bytes, start: 0, end: bytes.length }, 0);
    this.deleteVector(key, keyspace);
  }

  deleteVector(key: string, keyspace = 'a'): void {
    const bytes = Buffer.from(key);
    this.#vectors.delete(this.engine.keyspace(keyspace), { bytes, start: 0, end: bytes.length });
  }

  /** Deletes the values and vectors of the keys from `low` up to, not including, `high`. */
  deleteRange(low: string, high: string | undefined, keyspace = 'a'): void {
    const to = high === undefined ? undefined : Buffer.from(high);
    const opened = this.engine.keyspace(keyspace);
    this.#values.deleteRange(opened, Buffer.from(low), to, 0);
    this.#vectors.deleteRange(opened, Buffer.from(low), to);
  }

  /** Removes what has expired at `now`. */
  purge(keyspace: string, now: number): void {
    this.#values.purge(this.engine.keyspace(keyspace), now);
  }

  drop(keyspace: string): void {
    this.#catalog.drop(keyspace);
  }

  /** Commits as the writer does: a part of what was dropped is freed with it. */
  commit(): void {
    if (!this.engine.isUnchanged) this.#catalog.freeSome();
    this.engine.commit();
  }

  /** Everything that the newest committed state holds, as text: a line an entry. */
  content(): string {
    const { source, catalog } = this.engine;
    const lines: string[] = [];
    for (const { name, record } of listKeyspaces(source, catalog)) {
      const cursor = new Cursor(source, record.values);
      if (cursor.seekRank(0)) {
        do this.#addLeaf(lines, name, cursor.leaf());
        while (cursor.moveLeaf(1));
      }
      this.#addVectors(lines, name, record);
    }
    return lines.join('\n');
  }

  /** By their slots, in the order of their keys. */
  #addVectors(lines: string[], name: string, record: KeyspaceRecord): void {
    const { source } = this.engine;
    const found: string[] = [];
    for (let slot = 0; slot < record.vectorSlots.count; slot++) {
      const key = Buffer.from(keyOfSlot(source, record, slot)).toString('latin1');
      found.push(vectorLine(name, key, readOriginal(source, record, slot)));
    }
    lines.push(...found.sort());
  }

  #addLeaf(lines: string[], name: string, leaf: number): void {
    const { u8, text } = memory;
    for (let index = 0; index < entryCount(memory, leaf); index++) {
      const key = foundKey.toString('latin1', 0, copyKey(memory, leaf, index, foundKey, 0));
      const at = valueAddress(memory, leaf, index);
      const length = valueLength(memory, leaf, index);
      const isLong = ((u8[at] as number) & OVERFLOW_FLAG) !== 0;
      const value = isLong
        ? readLongPayload(this.engine.source, u8, at, length).toString('latin1')
        : text.toString('latin1', payloadOffset(u8, at), at + length);
      lines.push(contentLine(name, key, recordDeadline(u8, at), value));
    }
  }

  /** Keys and values of keyspace 'a' in the newest committed state, each found by its key. */
  read(): ReadonlyMap<string, string> {
    const { source, catalog } = this.engine;
    const found = new Map<string, string>();
    const record = listKeyspaces(source, catalog).find(({ name }) => name === 'a')?.record;
    if (record === undefined) return found;
    const cursor = new Cursor(source, record.values);
    if (!cursor.seekRank(0)) return found;
    const keys: string[] = [];
    do {
      const leaf = cursor.leaf();
      for (let index = 0; index < entryCount(memory, leaf); index++) {
        keys.push(foundKey.toString('utf8', 0, copyKey(memory, leaf, index, foundKey, 0)));
      }
    } while (cursor.moveLeaf(1));
    for (const key of keys) found.set(key, String(this.get(key)));
    return found;
  }

  /** The value of one key of the newest committed state. */
  get(key: string, keyspace = 'a'): unknown {
    const { source, catalog } = this.engine;
    const record = listKeyspaces(source, catalog).find(({ name }) => name === keyspace)?.record;
    if (record === undefined) return undefined;
    const bytes = Buffer.from(key);
    const start = source.placeKey(bytes);
    return readValue(source, record.values, start, start + bytes.length, () => 0, 'auto');
  }

  /** What is wrong with the file, if anything. */
  problems(): readonly { readonly message: string }[] {
    return checkFile(this.engine).problems;
  }
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
