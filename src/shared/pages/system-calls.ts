/**
 * System calls that Node does not offer, through the optional package koffi: locks that belong to
 * an opening of a file (fcntl(2), "Open file description locks"), mapping (mmap(2)), and advice on
 * memory (madvise(2)).
 */
import { createRequire } from 'node:module';
import { expectDescriptors } from '../system.js';

/** The calls, as they are declared below. */
export interface SystemCalls {
  /** Fills or obeys a `struct flock`; -1 on failure. */
  fcntl(descriptor: number, command: number, lock: Uint8Array): number;
  /** The system's error number of the last call of this thread. */
  errorNumber(): number;
  /** A part of a file as it is now and will be, for reading; `offset` is a multiple of a page. */
  map(descriptor: number, offset: number, length: number): ArrayBuffer | undefined;
  /** Asks for large pages of memory where these bytes are touched first from here on. */
  preferLargePages(bytes: Uint8Array): void;
}

interface Koffi {
  load(path: null): { func(declaration: string): (...values: unknown[]) => unknown };
  errno(): number;
  view(pointer: unknown, length: number): ArrayBuffer;
  address(pointer: unknown): bigint;
}

const PROT_READ = 1;
const MAP_SHARED = 1;
const MADV_HUGEPAGE = 14;
const MAP_FAILED = 2n ** 64n - 1n;

let loaded: SystemCalls | undefined | null = null;

/**
 * Undefined where koffi is not installed, or the system is not one whose calls are known.
 *
 * @throws `ERR_MNEME_IO` when that cannot be told: with locks of another kind, one process would
 * not see those of another.
 */
export function systemCalls(): SystemCalls | undefined {
  if (loaded === null) loaded = load();
  return loaded;
}

function load(): SystemCalls | undefined {
  if (process.platform !== 'linux' || process.env['MNEME_WITHOUT_KOFFI'] === '1') return undefined;
  expectDescriptors();
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch {
    return undefined; // optional: whoever asked falls back to what works without
  }
  const library = koffi.load(null);
  const fcntl = library.func('int fcntl(int fd, int cmd, void *lock)');
  const mmap = library.func(
    'void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)',
  );
  const madvise = library.func('int madvise(void *address, size_t length, int advice)');
  return {
    fcntl: (descriptor, command, lock) => fcntl(descriptor, command, lock) as number,
    errorNumber: () => koffi.errno(),
    map(descriptor, offset, length) {
      const pointer = mmap(null, length, PROT_READ, MAP_SHARED, descriptor, offset);
      return koffi.address(pointer) === MAP_FAILED ? undefined : koffi.view(pointer, length);
    },
    preferLargePages(bytes) {
      madvise(bytes, bytes.length, MADV_HUGEPAGE); // refused, all goes on as it was
    },
  };
}
