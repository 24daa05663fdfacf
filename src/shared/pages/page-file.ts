/**
 * Reads pages of the file and proves them: what comes out of here is what some commit wrote, where
 * it wrote it. Bytes from disk are input until then.
 */
import type { PageId } from '../ids.js';
import type { SharedMemory } from '../memory/shared-memory.js';

/** The page that was read is not the one that the pointer means: reused since, or damaged. */
export class PageMismatch extends Error {
  override readonly name = 'PageMismatch';
  readonly pageId: PageId;
  constructor(pageId: PageId, reason: string) {
    super(`page ${pageId}: ${reason}`);
    this.pageId = pageId;
  }
}

/** The file's secret seed of all its checksums. */
export interface ChecksumSeed {
  readonly low: number;
  readonly high: number;
}

/** A checksum is 63 bits: the sign of the high word tells it from a stamp. */
export const CHECKSUM_HIGH_MASK = 0x7fffffff;

/** Checksums of memory ranges; `low` and `high` hold the last one. */
export class Checksummer {
  low = 0;
  high = 0;
  readonly #memory: SharedMemory;
  readonly #seed: ChecksumSeed;
  readonly #out: number;
  /** @param out - Eight bytes of the shared memory that only this thread uses. */
  constructor(memory: SharedMemory, seed: ChecksumSeed, out: number) {
    this.#memory = memory;
    this.#seed = seed;
    this.#out = out;
  }
  compute(address: number, length: number): void {
    const { memory, out } = { memory: this.#memory, out: this.#out };
    memory.kernels.hash64(address, length, this.#seed.low, this.#seed.high, out);
    this.low = memory.i32[out >>> 2] as number;
    this.high = (memory.i32[(out >>> 2) + 1] as number) & CHECKSUM_HIGH_MASK;
  }
}
