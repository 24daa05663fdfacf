/**
 * The real engine on a simulated disk, in one thread: random transactions, and what each committed
 * state holds.
 */
import { createDatabaseFile } from '../../dist/api/create-file.js';
import { listKeyspaces } from '../../dist/shared/keyspaces/catalog.js';
import { readValue } from '../../dist/shared/keyspaces/values.js';
import {
  CHANNEL_ADDRESS,
  CONTROL_ADDRESS,
  createMemoryHandle,
  SharedMemory,
} from '../../dist/shared/memory/shared-memory.js';
import { claimThreadSlot } from '../../dist/shared/memory/thread-slots.js';
import { NO_LOCKS } from '../../dist/shared/pages/file-locks.js';
import { entryCount } from '../../dist/shared/pages/page.js';
import { Cursor } from '../../dist/shared/tree/cursor.js';
import { copyKey } from '../../dist/shared/tree/node.js';
import { checkFile } from '../../dist/writer/check-file.js';
import { Engine } from '../../dist/writer/engine.js';
import { ValuesWriter } from '../../dist/writer/keyspaces/values.js';
import { Content, SimulatedFile } from './simulated-disk.js';

export const BOOT = new Uint8Array(16).fill(1);
export const OTHER_BOOT = new Uint8Array(16).fill(2);
export type SyncMode = 'full' | 'none';
/** What a keyspace holds: text by key. */
export type State = ReadonlyMap<string, string>;

const memory = new SharedMemory(createMemoryHandle(4096, 2 ** 20));

/** The memory as it is when a process starts; the same one serves every run. */
export function freshMemory(): SharedMemory {
  memory.u8.fill(0, CONTROL_ADDRESS, CHANNEL_ADDRESS + 65536);
  memory.u8.fill(0, memory.tableAddress, memory.framesAddress);
  return memory;
}

export function emptyDatabase(): Content {
  const file = new SimulatedFile(new Content(new Uint8Array(2 ** 18), 0));
  const storage = {
    open: () => file,
    create: () => file,
    link: () => undefined,
    unlink: () => undefined,
    syncDirectory: () => undefined,
  };
  const shared = freshMemory();
  createDatabaseFile(storage, 'file', shared, shared.scratchAddress(0), 4096, () => 0);
  return file.content.copy();
}

export class EngineRun {
  readonly engine: Engine;
  readonly file: SimulatedFile;
  readonly #values: ValuesWriter;

  constructor(content: Content, sync: SyncMode, bootId = BOOT, freeLogBytesMax?: number) {
    const shared = freshMemory();
    this.file = new SimulatedFile(content);
    const slot = claimThreadSlot(shared, 0);
    const limit = freeLogBytesMax === undefined ? {} : { freeLogBytesMax };
    this.engine = new Engine({
      ...{ memory: shared, slot, file: this.file, bootId, sync, locks: NO_LOCKS, ...limit },
    });
    this.#values = new ValuesWriter(this.engine);
  }

  set(key: string, value: string): void {
    this.engine.relieveCache();
    const bytes = Buffer.from(key);
    const record = Buffer.from(`\0${value}`);
    const place = { bytes, start: 0, end: bytes.length };
    const noDeadline = { keep: false, deadline: 0 };
    const keyspace = this.engine.keyspace('a');
    this.#values.set(keyspace, place, record, 0, record.length, noDeadline, 0);
  }

  delete(key: string): void {
    this.engine.relieveCache();
    const bytes = Buffer.from(key);
    this.#values.delete(this.engine.keyspace('a'), { bytes, start: 0, end: bytes.length }, 0);
  }

  /** Deletes the keys from `low` up to, not including, `high`. */
  deleteRange(low: string, high: string | undefined): void {
    const to = high === undefined ? undefined : Buffer.from(high);
    this.#values.deleteRange(this.engine.keyspace('a'), Buffer.from(low), to, 0);
  }

  /** Everything that the newest committed state holds. */
  read(): State {
    const { source, catalog } = this.engine;
    const state = new Map<string, string>();
    const record = listKeyspaces(source, catalog).find(({ name }) => name === 'a')?.record;
    if (record === undefined) return state;
    const cursor = new Cursor(source, record.values);
    if (!cursor.seekRank(0)) return state;
    const keys: Buffer[] = [];
    do {
      const leaf = cursor.leaf();
      for (let index = 0; index < entryCount(memory, leaf); index++) {
        const key = Buffer.alloc(1100);
        keys.push(key.subarray(0, copyKey(memory, leaf, index, key, 0)));
      }
    } while (cursor.moveLeaf(1));
    for (const key of keys) {
      const start = source.placeKey(key);
      const end = start + key.length;
      const value = readValue(source, record.values, start, end, () => 0, 'auto');
      state.set(key.toString(), String(value));
    }
    return state;
  }

  /** What is wrong with the file, if anything. */
  problems(): readonly { readonly message: string }[] {
    return checkFile(this.engine).problems;
  }
}
