/**
 * Notices commits of other processes: looks at the bytes of both metas that every commit changes.
 *
 * A look is a read of the file at first, and where the file can be mapped a look at memory from
 * some looks on; loading what maps takes as long as a thousand reads.
 *
 * A slot that holds no whole meta is compared whole: it may be in the middle of being written, or
 * be what a crash has left of a meta and then be written anew with the same first bytes.
 */
import { META_AREA_BYTES } from '../limits.js';
import type { TornSlot } from './recovery.js';
import type { StorageFile } from './storage.js';

/** From the flags of a meta to the low half of its root's checksum (meta-page.ts), in words. */
const FIRST_BYTE = 20;
const WORDS = 14;
/** Words that tell any two states apart: weak or not, transaction, epoch, checksum of the root. */
const FLAGS = 0;
const TXN = 8;
const TXN_HIGH = 9;
const EPOCH = 10;
const ROOT = 13;
/** Their first words in the mapping, of each slot. */
const FIRST = FIRST_BYTE / 4;
const SECOND = (META_AREA_BYTES + FIRST_BYTE) / 4;
const LOOKS_BEFORE_MAPPING = 1000;
const MAPPED_BYTES = 2 * META_AREA_BYTES;

export class MetaWatch {
  readonly #file: StorageFile;
  readonly #map: () => ArrayBuffer | undefined;
  readonly #seen = new Int32Array(2 * WORDS);
  readonly #now = new Int32Array(2 * WORDS);
  readonly #bytes = new Uint8Array(this.#now.buffer);
  #torn: readonly TornSlot[] = [];
  #mapped: Int32Array | undefined;
  #looks = 0;

  /** @param map - The first bytes of the file; undefined where they cannot be mapped. */
  constructor(file: StorageFile, map: (length: number) => ArrayBuffer | undefined) {
    this.#file = file;
    this.#map = () => map(MAPPED_BYTES);
  }

  /** True when a meta is not what it was when `accept` was called last. */
  hasMoved(): boolean {
    if (this.#mapped === undefined || !this.#isAsSeen(this.#mapped)) {
      this.#look();
      const now = this.#now;
      const seen = this.#seen;
      for (let word = 0; word < 2 * WORDS; word++) if (now[word] !== seen[word]) return true;
    }
    return this.#torn.length > 0 && !this.#torn.every((slot) => this.#isStill(slot));
  }

  /** Looks again: true when a meta is not what it was at the last look. */
  hasMovedOn(): boolean {
    const before = this.#now.slice();
    this.#look();
    return before.some((word, index) => word !== this.#now[index]);
  }

  /**
   * What the last look saw is known now, and so are slots without a whole meta: those that were
   * known before, unless they have changed, where nothing is said of them.
   */
  accept(torn: readonly TornSlot[] = this.#torn.filter((slot) => this.#isStill(slot))): void {
    this.#seen.set(this.#now);
    this.#torn = torn;
  }

  #isStill({ slot, bytes }: TornSlot): boolean {
    const start = slot * META_AREA_BYTES;
    if (this.#mapped !== undefined) {
      return Buffer.from(this.#mapped.buffer, start, bytes.length).equals(bytes);
    }
    const now = Buffer.alloc(bytes.length);
    return this.#file.read(now, 0, now.length, start) === now.length && now.equals(bytes);
  }

  /** Written out: it is done before each read, and a loop takes four times as long. */
  #isAsSeen(mapped: Int32Array): boolean {
    const seen = this.#seen;
    const firstIs =
      mapped[FIRST + TXN] === seen[TXN] &&
      mapped[FIRST + TXN_HIGH] === seen[TXN_HIGH] &&
      mapped[FIRST + EPOCH] === seen[EPOCH] &&
      mapped[FIRST + ROOT] === seen[ROOT] &&
      mapped[FIRST + FLAGS] === seen[FLAGS];
    const secondIs =
      mapped[SECOND + TXN] === seen[WORDS + TXN] &&
      mapped[SECOND + TXN_HIGH] === seen[WORDS + TXN_HIGH] &&
      mapped[SECOND + EPOCH] === seen[WORDS + EPOCH] &&
      mapped[SECOND + ROOT] === seen[WORDS + ROOT] &&
      mapped[SECOND + FLAGS] === seen[WORDS + FLAGS];
    return firstIs && secondIs;
  }

  #look(): void {
    if (this.#mapped !== undefined) {
      for (let word = 0; word < WORDS; word++) {
        this.#now[word] = this.#mapped[FIRST + word] as number;
        this.#now[WORDS + word] = this.#mapped[SECOND + word] as number;
      }
      return;
    }
    for (const slot of [0, 1]) {
      const offset = slot * META_AREA_BYTES + FIRST_BYTE;
      this.#file.read(this.#bytes, slot * WORDS * 4, WORDS * 4, offset);
    }
    if (++this.#looks !== LOOKS_BEFORE_MAPPING) return;
    const buffer = this.#map();
    if (buffer !== undefined) this.#mapped = new Int32Array(buffer);
  }
}
