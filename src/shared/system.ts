/**
 * Clock, randomness and identity of machine and thread: everything a test may want to replace.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { ioError } from './errors.js';

/** Milliseconds since the epoch. */
export type Clock = () => number;
/** `length` unpredictable bytes. */
export type Random = (length: number) => Uint8Array;

export const systemClock: Clock = Date.now;
export const systemRandom: Random = (length) => randomBytes(length);

/** Milliseconds that only ever rise. */
export function monotonicMs(): number {
  return performance.now();
}

/** Changes with every start of the machine; empty where the system does not tell. */
export function readBootId(): string {
  if (process.platform !== 'linux') return '';
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

export function processId(): number {
  return process.pid;
}

/** At once, whatever the thread; where nobody takes it, it is lost. */
export function writeStandardError(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // There is nobody to tell.
  }
}

/** The operating system's id of the calling thread; 0 where it does not tell. */
export function currentSystemThreadId(): number {
  if (process.platform !== 'linux') return 0;
  if (isMainThread) return process.pid;
  return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
}

/** False only when the system says that this thread of the process is gone. */
export function threadMayLive(systemThreadId: number): boolean {
  return systemThreadId === 0 || existsSync(`/proc/self/task/${systemThreadId}`);
}

/**
 * A process that has locked this byte of the file that a descriptor has open; 0 when none is
 * found: those of other users do not show their locks.
 */
export function processWithLock(descriptor: number, start: bigint): number {
  const { ino } = fstatSync(descriptor, { bigint: true });
  const lock = new RegExp(`^lock:.*:${ino} ${start} `, 'm');
  const pids = namesIn('/proc').filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => {
    const files = `/proc/${pid}/fdinfo`;
    return namesIn(files).some((name) => lock.test(contentOf(`${files}/${name}`)));
  });
  return Number(found ?? 0);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // not ours to see, or ended meanwhile
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // as above
  }
}

/** A thread that is started takes fewer, with what it loads and opens. */
export const DESCRIPTORS_OF_THREAD = 24;
/** What loading a package has open at one time is fewer. */
const DESCRIPTORS_TO_LOAD = 8;

/**
 * Throws `ERR_MNEME_IO` when so many files cannot be opened any more: a package that is loaded then
 * looks as if it were not installed, and a thread that is started never says a word.
 */
export function expectDescriptors(count = DESCRIPTORS_TO_LOAD): void {
  const path = fileURLToPath(import.meta.url);
  const descriptors: number[] = [];
  try {
    while (descriptors.length < count) descriptors.push(openSync(path, 'r'));
  } catch (error) {
    throw ioError(error);
  } finally {
    descriptors.forEach((descriptor) => {
      closeSync(descriptor);
    });
  }
}
