/**
 * Notices commits of other processes: looks at the bytes of both metas that every commit changes.
 *
 * A look is a read of the file at first, and where the file can be mapped a look at memory from
 * some looks on; loading what maps takes as long as a thousand reads.
 */
import { META_AREA_BYTES } from '../limits.js';
import type { StorageFile } from './storage.js';

/** Transaction and epoch lie in these bytes of a meta (meta-page.ts). */
const FIRST_BYTE = 52;
const WORDS = 3;
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
  #mapped: Int32Array | undefined;
  #looks = 0;

  /** @param map - The first bytes of the file; undefined where they cannot be mapped. */
  constructor(file: StorageFile, map: (length: number) => ArrayBuffer | undefined) {
    this.#file = file;
    this.#map = () => map(MAPPED_BYTES);
  }

  /** True when a meta is not what it was when `accept` was called last. */
  hasMoved(): boolean {
    if (this.#mapped !== undefined && this.#isAsSeen(this.#mapped)) return false;
    this.#look();
    const now = this.#now;
    const seen = this.#seen;
    for (let word = 0; word < 2 * WORDS; word++) if (now[word] !== seen[word]) return true;
    return false;
  }

  /** Looks again: true when a meta is not what it was at the last look. */
  hasMovedOn(): boolean {
    const before = this.#now.slice();
    this.#look();
    return before.some((word, index) => word !== this.#now[index]);
  }

  /** What the last look saw is known now. */
  accept(): void {
    this.#seen.set(this.#now);
  }

  /** Written out: it is done before each read, and a loop takes four times as long. */
  #isAsSeen(mapped: Int32Array): boolean {
    const seen = this.#seen;
    return (
      mapped[FIRST] === seen[0] &&
      mapped[FIRST + 1] === seen[1] &&
      mapped[FIRST + 2] === seen[2] &&
      mapped[SECOND] === seen[3] &&
      mapped[SECOND + 1] === seen[4] &&
      mapped[SECOND + 2] === seen[5]
    );
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
