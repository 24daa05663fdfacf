/**
 * Storage on the real file system. With system.ts the only place that knows of `node:fs`.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { ioError, MnemeError } from '../errors.js';
import type { FileLocks } from './file-locks.js';
import { OpenFileLocks } from './open-file-locks.js';
import type { Storage, StorageFile } from './storage.js';
import { systemCalls } from './system-calls.js';
import { loadFlock, WholeFileLocks } from './whole-file-locks.js';

/** What one `writev` takes on every system. */
const VECTOR_COUNT_MAX = 1024;

/** statfs(2): the types of file systems that keep files on another machine, or ask a program. */
const REMOTE_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x65735546, 'FUSE'],
  [0x5346414f, 'AFS'],
  [0x73757245, 'Coda'],
  [0x00c36400, 'Ceph'],
]);

/** True for a type, as statfs tells it, whose locks another machine may not see. */
export function isRemoteFileSystem(type: number): boolean {
  return REMOTE_TYPES.has(type >>> 0);
}

class NodeFile implements StorageFile {
  readonly descriptor: number;
  constructor(descriptor: number) {
    this.descriptor = descriptor;
  }
  read(target: Uint8Array, targetOffset: number, length: number, offset: number): number {
    let done = 0;
    try {
      while (done < length) {
        const at = targetOffset + done;
        const count = fs.readSync(this.descriptor, target, at, length - done, offset + done);
        if (count === 0) break;
        done += count;
      }
    } catch (error) {
      throw ioError(error);
    }
    return done;
  }
  write(source: Uint8Array, sourceOffset: number, length: number, offset: number): number {
    return fs.writeSync(this.descriptor, source, sourceOffset, length, offset);
  }
  writeMany(sources: readonly Uint8Array[], offset: number): number {
    let done = 0;
    for (let first = 0; first < sources.length; first += VECTOR_COUNT_MAX) {
      const part = sources.slice(first, first + VECTOR_COUNT_MAX);
      const partBytes = part.reduce((sum, source) => sum + source.length, 0);
      const count = fs.writevSync(this.descriptor, part, offset + done);
      done += count;
      if (count !== partBytes) break;
    }
    return done;
  }
  size(): number {
    return fs.fstatSync(this.descriptor).size;
  }
  datasync(): void {
    fs.fdatasyncSync(this.descriptor);
  }
  close(): void {
    fs.closeSync(this.descriptor);
  }
}

function identityOf({ dev, ino }: fs.BigIntStats): string {
  return `${dev}:${ino}`;
}

export class NodeStorage implements Storage {
  open(path: string, access: 'read' | 'write'): StorageFile {
    // Opening a pipe would wait for its other end.
    if (!fs.statSync(path).isFile()) throw new MnemeError('ERR_MNEME_NOT_A_DATABASE', { path });
    return new NodeFile(fs.openSync(path, access === 'read' ? 'r' : 'r+'));
  }
  create(path: string): StorageFile {
    return new NodeFile(fs.openSync(path, 'wx+'));
  }
  isRemote(path: string): boolean {
    if (process.platform !== 'linux') return false; // elsewhere the type is not told by number
    return isRemoteFileSystem(fs.statfsSync(dirname(path)).type);
  }
  locksOf(file: StorageFile): FileLocks | undefined {
    const { descriptor } = file as NodeFile;
    const calls = systemCalls();
    if (calls !== undefined) return new OpenFileLocks(calls, descriptor);
    const flock = loadFlock();
    return flock === undefined ? undefined : new WholeFileLocks(flock, descriptor);
  }
  identity(file: StorageFile): string {
    return identityOf(fs.fstatSync((file as NodeFile).descriptor, { bigint: true }));
  }
  identityAt(path: string): string | undefined {
    const standing = fs.statSync(path, { bigint: true, throwIfNoEntry: false });
    return standing === undefined ? undefined : identityOf(standing);
  }
  isStillAt(file: StorageFile, path: string): boolean {
    const standing = this.identityAt(path);
    // A file without a name is nobody's who does not have it open, and goes on until it is closed.
    return standing === undefined || standing === this.identity(file);
  }
  map(file: StorageFile, offset: number, length: number): ArrayBuffer | undefined {
    // Touching what is mapped behind the end of the file would end the process.
    if (file.size() < offset + length) return undefined;
    try {
      return systemCalls()?.map((file as NodeFile).descriptor, offset, length);
    } catch {
      return undefined; // no descriptors to load what maps: whoever asked goes on by reading
    }
  }
  link(existingPath: string, newPath: string): void {
    fs.linkSync(existingPath, newPath);
  }
  unlink(path: string): void {
    fs.unlinkSync(path);
  }
  rename(existingPath: string, newPath: string): void {
    fs.renameSync(existingPath, newPath);
  }
  truncate(path: string, sizeBytes: number): void {
    const descriptor = fs.openSync(path, 'r+');
    try {
      fs.ftruncateSync(descriptor, sizeBytes);
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  }
  syncDirectory(path: string): void {
    if (process.platform === 'win32') return; // directories cannot be opened there
    const descriptor = fs.openSync(dirname(path), 'r');
    try {
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  }
}
