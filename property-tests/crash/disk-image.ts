/**
 * The content of a disk that remembers what every write replaced: so a crash, and all that is done
 * after it, is tried on the one image and taken back, and nothing is ever copied whole.
 */

/** The unit in which a disk tears, and in which contents are told apart. */
export const SECTOR_BYTES = 512;

interface Replaced {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly end: number;
  readonly size: number;
}

export class DiskImage {
  bytes: Uint8Array;
  size: number;
  readonly #replaced: Replaced[] = [];

  constructor(capacityBytes = 2 ** 20) {
    this.bytes = new Uint8Array(capacityBytes);
    this.size = 0;
  }

  write(source: Uint8Array, offset: number): void {
    const end = offset + source.length;
    if (end > this.bytes.length) {
      const larger = new Uint8Array(2 ** Math.ceil(Math.log2(end)));
      larger.set(this.bytes);
      this.bytes = larger;
    }
    // Beyond the end there are zeros, which need not be remembered.
    const kept = this.bytes.slice(Math.min(offset, this.size), Math.min(end, this.size));
    this.#replaced.push({ offset: Math.min(offset, this.size), bytes: kept, end, size: this.size });
    this.bytes.set(source, offset);
    this.size = Math.max(this.size, end);
  }

  /** Where `rollBack` goes back to. */
  mark(): number {
    return this.#replaced.length;
  }

  rollBack(mark: number): void {
    while (this.#replaced.length > mark) {
      const { offset, bytes, end, size } = this.#replaced.pop() as Replaced;
      if (end > size) this.bytes.fill(0, size, end);
      this.bytes.set(bytes, offset);
      this.size = size;
    }
  }

  /** What was written so far can not be taken back any more. */
  settle(): void {
    this.#replaced.length = 0;
  }

  copy(): DiskImage {
    const image = new DiskImage(this.bytes.length);
    image.bytes.set(this.bytes);
    image.size = this.size;
    return image;
  }
}
