/**
 * The only way to the outside world: files, as the engine needs them. Handed in, so that tests can
 * put a simulated disk here that crashes, lies and fills up.
 */

import { ioError, MnemeError } from '../errors.js';
import type { FileLocks } from './file-locks.js';

/** An open file. Offsets and lengths are bytes. Failures throw with the system's `code`. */
export interface StorageFile {
  /**
   * Reads up to `length` bytes into `target` at `targetOffset`; returns how many there were. Throws
   * `ERR_MNEME_IO`, since anything may have to read.
   */
  read(target: Uint8Array, targetOffset: number, length: number, offset: number): number;
  /** Writes and returns how many bytes were taken: fewer than given means a full disk. */
  write(source: Uint8Array, sourceOffset: number, length: number, offset: number): number;
  /** Writes the sources one behind the other; returns how many bytes were taken. */
  writeMany(sources: readonly Uint8Array[], offset: number): number;
  size(): number;
  /** Everything written so far is on the disk when this returns. */
  datasync(): void;
  close(): void;
}

export interface Storage {
  /** Throws `ENOENT` when there is none, `ERR_MNEME_NOT_A_DATABASE` for what is no plain file. */
  open(path: string, access: 'read' | 'write'): StorageFile;
  /** A new, empty file; throws `EEXIST` when there is one. */
  create(path: string): StorageFile;
  /** True when a file there would be on another machine, whose locks cannot be trusted. */
  isRemote(path: string): boolean;
  /** Locks that belong to an open file, by the best means at hand; undefined without any. */
  locksOf(file: StorageFile): FileLocks | undefined;
  /** Tells a file from every other, whatever its path. */
  identity(file: StorageFile): string;
  /** The same of what stands at a path, a plain file or not; undefined when nothing does. */
  identityAt(path: string): string | undefined;
  /** False when another file stands at the path of an open one now. */
  isStillAt(file: StorageFile, path: string): boolean;
  /**
   * A part of a file as it is at any moment; undefined where that cannot be had. `offset` is a
   * multiple of 64 KiB.
   */
  map(file: StorageFile, offset: number, length: number): ArrayBuffer | undefined;
  link(existingPath: string, newPath: string): void;
  unlink(path: string): void;
  /** Gives a file another name, in the place of whatever file has it. */
  rename(existingPath: string, newPath: string): void;
  /** Cuts off the end of a file; it is on the disk like that when this returns. */
  truncate(path: string, sizeBytes: number): void;
  /** Makes the directory entries of the folder that holds `path` durable. */
  syncDirectory(path: string): void;
}

/** Opens the file that another thread has open. @throws {MnemeError} `ERR_MNEME_IO` */
export function openSameFile(
  storage: Storage,
  path: string,
  identity: string,
  access: 'read' | 'write',
): StorageFile {
  let file: StorageFile;
  try {
    file = storage.open(path, access);
  } catch (error) {
    throw ioError(error, { path });
  }
  if (storage.identity(file) === identity) return file;
  file.close();
  throw new MnemeError('ERR_MNEME_IO', { reason: 'another file stands at the path now' });
}
