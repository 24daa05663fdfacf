/**
 * Open options: defaults, ranges, validation. Nothing is touched before all of them hold.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { invalidType, invalidValue, outOfRange } from '../shared/errors.js';
import {
  CACHE_BYTES_DEFAULT,
  CACHE_BYTES_MAX,
  CACHE_BYTES_MIN,
  PAGE_SIZE_DEFAULT,
  PAGE_SIZE_MAX,
  PAGE_SIZE_MIN,
} from '../shared/limits.js';
import type { Identity } from '../shared/memory/key-area.js';
import { type Clock, systemClock } from '../shared/system.js';
import { type EncryptionOption, identityOf } from './identity.js';

/** How a database is opened. All of it is optional. */
export interface OpenOptions {
  /**
   * Open for reading only: creates and changes nothing, works on read-only media. Default false.
   */
  readonly?: boolean;
  /** Create the file when it is missing. Default true. */
  create?: boolean;
  /**
   * 'full': a call returns once its commit is on disk. 'none': no fsync until sync() or close(); a
   * crash loses recent commits, never consistency. Default 'full'.
   */
  sync?: 'full' | 'none';
  /** The Ed25519 identity that unlocks encrypted keyspaces. */
  encryption?: EncryptionOption;
  /** Bytes of a page; a power of two, 4096 to 65536; only at creation. Default 4096. */
  pageSize?: number;
  /** Upper bound of the shared page cache in bytes, 1 MiB to 3.9 GiB. Default 256 MiB. */
  cacheSize?: number;
  /**
   * Threads that a search may use, the calling one included. Default: the processors, at most 8.
   */
  threads?: number;
  /** How long a write waits for another process's writer lock, milliseconds. Default 5000. */
  lockTimeout?: number;
  /** false: take no file locks; the caller's word that no other process has the file. */
  lock?: boolean;
  /**
   * Read-only opens: pages come from a mapping of the file where koffi is installed. No effect on
   * others.
   */
  mmap?: boolean;
  /** Open although the file is on a network file system, where locks cannot be trusted. */
  unsafeRemoteFs?: boolean;
  /** Milliseconds since the epoch; replaceable so that expiry can be tested. Default Date.now. */
  clock?: () => number;
}

export interface CheckedOptions {
  readonly readonly: boolean;
  readonly create: boolean;
  readonly mmap: boolean;
  readonly sync: 'full' | 'none';
  readonly pageSize: number;
  readonly cacheSize: number;
  readonly threads: number;
  readonly lock: boolean;
  readonly lockTimeoutMs: number;
  readonly unsafeRemoteFs: boolean;
  readonly clock: Clock;
  /** Goes into the memory that all threads share, and is overwritten here. */
  readonly identity: Identity | undefined;
  /** The run that weak metas count for, when it is not the machine's: that of a copy. */
  readonly bootId?: Uint8Array;
}

export function checkOptions(options: OpenOptions): CheckedOptions {
  if (typeof options !== 'object' || options === null) {
    throw invalidType('options', 'an object', options);
  }
  const sync = options.sync ?? 'full';
  if (sync !== 'full' && sync !== 'none') throw invalidType('sync', "'full' or 'none'", sync);
  const clock = options.clock ?? systemClock;
  if (typeof clock !== 'function') throw invalidType('clock', 'a function', clock);
  return {
    readonly: checkBoolean('readonly', options.readonly, false),
    create: checkBoolean('create', options.create, true),
    mmap: checkBoolean('mmap', options.mmap, false),
    sync,
    pageSize: checkPageSize(options.pageSize ?? PAGE_SIZE_DEFAULT),
    cacheSize: checkCacheSize(options.cacheSize ?? CACHE_BYTES_DEFAULT),
    lock: checkBoolean('lock', options.lock, true),
    lockTimeoutMs: checkWhole('lockTimeout', options.lockTimeout ?? 5000, 0, 2 ** 31 - 1),
    unsafeRemoteFs: checkBoolean('unsafeRemoteFs', options.unsafeRemoteFs, false),
    threads: checkWhole('threads', options.threads ?? Math.min(availableParallelism(), 8), 1, 64),
    clock,
    // Last: reading a key file is the one thing here that is not free.
    identity: options.encryption === undefined ? undefined : identityOf(options.encryption),
  };
}

export function checkBoolean(name: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (typeof value !== 'boolean') throw invalidType(name, 'a boolean', value);
  return value;
}

function checkWhole(name: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value);
  if (!Number.isInteger(value) || value < low || value > high) {
    throw outOfRange(name, `a whole number from ${low} to ${high}`, value);
  }
  return value;
}

function checkCacheSize(value: unknown): number {
  return checkWhole('cacheSize', value, CACHE_BYTES_MIN, CACHE_BYTES_MAX);
}

function checkPageSize(value: unknown): number {
  const pageSize = checkWhole('pageSize', value, PAGE_SIZE_MIN, PAGE_SIZE_MAX);
  if ((pageSize & (pageSize - 1)) !== 0) throw outOfRange('pageSize', 'a power of two', value);
  return pageSize;
}

export const MEMORY_PATH = ':memory:';

export function checkPath(path: string | URL): string {
  if (path instanceof URL) return fileURLToPath(path);
  if (typeof path !== 'string') throw invalidType('path', 'a string or a URL', path);
  if (path === '' || path.includes('\0')) {
    throw invalidValue('path', 'a non-empty string without null bytes', JSON.stringify(path));
  }
  return path;
}
