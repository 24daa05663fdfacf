/**
 * Storage for ':memory:': one file in a growable SharedArrayBuffer, which all threads see.
 */
import { type FileLocks, NO_LOCKS } from './file-locks.js';
import type { Storage, StorageFile } from './storage.js';

const RESERVED_BYTES = 2 ** 36;
const GROWTH_BYTES = 2 ** 22;

interface GrowableSharedBuffer extends SharedArrayBuffer {
  grow(byteLength: number): void;
}

/** Word 0: the file's size in units of 512 bytes; the content follows at byte 4096. */
const CONTENT_OFFSET = 4096;
const SIZE_UNIT = 512;

/** Reserves address space, not memory; less where the system refuses so much. */
export function createMemoryFileBuffer(): SharedArrayBuffer {
  for (let maxByteLength = RESERVED_BYTES; ; maxByteLength /= 4) {
    try {
      return new SharedArrayBuffer(CONTENT_OFFSET, { maxByteLength });
    } catch (error) {
      if (maxByteLength <= GROWTH_BYTES) throw error;
    }
  }
}

class MemoryFile implements StorageFile {
  readonly #buffer: GrowableSharedBuffer;
  readonly #words: Int32Array;
  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer as GrowableSharedBuffer;
    this.#words = new Int32Array(buffer, 0, 1);
  }
  size(): number {
    return Atomics.load(this.#words, 0) * SIZE_UNIT;
  }
  read(target: Uint8Array, targetOffset: number, length: number, offset: number): number {
    const count = Math.min(length, this.size() - offset);
    if (count <= 0) return 0;
    target.set(new Uint8Array(this.#buffer, CONTENT_OFFSET + offset, count), targetOffset);
    return count;
  }
  write(source: Uint8Array, sourceOffset: number, length: number, offset: number): number {
    const end = offset + length;
    const needed = CONTENT_OFFSET + end;
    if (needed > this.#buffer.byteLength) {
      const growth = Math.ceil(needed / GROWTH_BYTES) * GROWTH_BYTES;
      if (growth > this.#buffer.maxByteLength) {
        throw Object.assign(new Error('the memory is used up'), {
          code: 'ENOSPC',
          syscall: 'grow',
        });
      }
      this.#buffer.grow(growth);
    }
    const target = new Uint8Array(this.#buffer, CONTENT_OFFSET + offset, length);
    target.set(source.subarray(sourceOffset, sourceOffset + length));
    const units = Math.ceil(end / SIZE_UNIT);
    if (units > Atomics.load(this.#words, 0)) Atomics.store(this.#words, 0, units);
    return length;
  }
  writeMany(sources: readonly Uint8Array[], offset: number): number {
    let done = 0;
    for (const source of sources) done += this.write(source, 0, source.length, offset + done);
    return done;
  }
  datasync(): void {
    // Nothing of it outlives the process.
  }
  close(): void {
    // The buffer goes with its last reference.
  }
}

/** Knows one file, whatever its path. */
export class MemoryStorage implements Storage {
  readonly buffer: SharedArrayBuffer;
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
  }
  open(): StorageFile {
    const file = new MemoryFile(this.buffer);
    if (file.size() > 0) return file;
    throw Object.assign(new Error('nothing was created yet'), { code: 'ENOENT', syscall: 'open' });
  }
  create(): StorageFile {
    return new MemoryFile(this.buffer);
  }
  isRemote(): boolean {
    return false;
  }
  locksOf(): FileLocks {
    return NO_LOCKS;
  }
  identity(): string {
    return '';
  }
  identityAt(): string {
    return '';
  }
  isStillAt(): boolean {
    return true;
  }
  map(): undefined {
    return undefined;
  }
  link(): void {
    // The one file has every name.
  }
  unlink(): void {
    // As above.
  }
  rename(): void {
    // The one file has every name.
  }
  truncate(): void {
    // Room that is not used costs no memory.
  }
  syncDirectory(): void {
    // There is no directory.
  }
}
