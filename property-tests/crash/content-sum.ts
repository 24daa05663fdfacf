/**
 * Tells contents of one image apart: a sum over the hashes of all sectors, brought up to date from
 * the writes that made the difference. What a write puts into a sector is hashed once.
 */
import { type DiskImage, SECTOR_BYTES } from './disk-image.js';
import type { DiskWrite } from './simulated-disk.js';

const SECTOR_WORDS = SECTOR_BYTES / 4;

/** What survives of a write: all of it, or some of its sectors. */
export interface Survivor extends DiskWrite {
  readonly whole: DiskWrite;
}

export class ContentSum {
  readonly #image: DiskImage;
  readonly #known = new WeakMap<DiskWrite, Int32Array>();
  #words = new Int32Array(0);
  /** Two hashes a sector, of what is settled and of what is on top of it in this round. */
  #settled = new Int32Array(0);
  #current = new Int32Array(0);
  /** In which round a sector was last written to. */
  #rounds = new Int32Array(0);
  #round = 0;
  readonly #sum = new Int32Array(2);

  constructor(image: DiskImage) {
    this.#image = image;
    this.#fit();
    for (let sector = 0; sector * SECTOR_BYTES < image.size; sector++) this.#settle(sector);
  }

  /** The image may be larger than it was. */
  #fit(): void {
    const { bytes } = this.#image;
    if (this.#words.buffer === bytes.buffer) return;
    this.#words = new Int32Array(bytes.buffer as ArrayBuffer);
    const sectorCount = bytes.length / SECTOR_BYTES;
    const longer = (old: Int32Array, length: number): Int32Array<ArrayBuffer> => {
      const array = new Int32Array(length);
      array.set(old);
      return array;
    };
    this.#settled = longer(this.#settled, 2 * sectorCount);
    this.#current = longer(this.#current, 2 * sectorCount);
    this.#rounds = longer(this.#rounds, sectorCount);
  }

  /** The content as it is after these writes on what is settled. */
  of(writes: readonly Survivor[]): string {
    this.#fit();
    const round = ++this.#round;
    let [low, high] = this.#sum as unknown as [number, number];
    for (const { offset, bytes, whole } of writes) {
      const known = this.#sumsOf(whole);
      const end = Math.ceil((offset + bytes.length) / SECTOR_BYTES);
      for (let sector = Math.floor(offset / SECTOR_BYTES); sector < end; sector++) {
        const before = this.#rounds[sector] === round ? this.#current : this.#settled;
        low ^= before[2 * sector] as number;
        high ^= before[2 * sector + 1] as number;
        this.#rounds[sector] = round;
        const at = this.#indexIn(whole, sector);
        if (at < 0) hashSector(this.#words, sector * SECTOR_WORDS, sector, this.#current, sector);
        else this.#current.set(known.subarray(2 * at, 2 * at + 2), 2 * sector);
        low ^= this.#current[2 * sector] as number;
        high ^= this.#current[2 * sector + 1] as number;
      }
    }
    return `${this.#image.size} ${low} ${high}`;
  }

  /** Which sector of a write this is; -1 when the write covers only a part of it. */
  #indexIn({ offset, bytes }: DiskWrite, sector: number): number {
    const start = sector * SECTOR_BYTES;
    const isCovered = start >= offset && start + SECTOR_BYTES <= offset + bytes.length;
    return isCovered ? sector - offset / SECTOR_BYTES : -1;
  }

  /** The hashes of what a write puts into the sectors that it covers. */
  #sumsOf(write: DiskWrite): Int32Array {
    const known = this.#known.get(write);
    if (known !== undefined) return known;
    const count = write.offset % SECTOR_BYTES === 0 ? write.bytes.length / SECTOR_BYTES : 0;
    const sums = new Int32Array(2 * Math.floor(count));
    const words = new Int32Array(write.bytes.slice().buffer, 0, write.bytes.length >>> 2);
    for (let index = 0; index < sums.length / 2; index++) {
      const sector = write.offset / SECTOR_BYTES + index;
      hashSector(words, index * SECTOR_WORDS, sector, sums, index);
    }
    this.#known.set(write, sums);
    return sums;
  }

  /** These writes are in the image for good. */
  settle(writes: readonly DiskWrite[]): void {
    this.#fit();
    for (const { offset, bytes } of writes) {
      const end = Math.ceil((offset + bytes.length) / SECTOR_BYTES);
      for (let sector = Math.floor(offset / SECTOR_BYTES); sector < end; sector++) {
        this.#settle(sector);
      }
    }
  }

  #settle(sector: number): void {
    const [low, high] = [2 * sector, 2 * sector + 1];
    const sum = this.#sum;
    sum[0] = (sum[0] as number) ^ (this.#settled[low] as number);
    sum[1] = (sum[1] as number) ^ (this.#settled[high] as number);
    hashSector(this.#words, sector * SECTOR_WORDS, sector, this.#settled, sector);
    sum[0] = (sum[0] as number) ^ (this.#settled[low] as number);
    sum[1] = (sum[1] as number) ^ (this.#settled[high] as number);
  }
}

/** Writes two hashes of 32 bits; 0 for a sector of zeros, as those beyond the end count. */
function hashSector(
  words: Int32Array,
  start: number,
  sector: number,
  target: Int32Array,
  index: number,
): void {
  let [low, high, all] = [sector + 1, ~sector, 0];
  for (let at = start; at < start + SECTOR_WORDS; at++) {
    const word = words[at] as number;
    all |= word;
    low = Math.imul(low ^ word, 0x9e3779b1);
    low ^= low >>> 15;
    high = Math.imul((high + word) | 0, 0x85ebca6b);
    high ^= high >>> 13;
  }
  target[2 * index] = all === 0 ? 0 : low;
  target[2 * index + 1] = all === 0 ? 0 : high;
}
