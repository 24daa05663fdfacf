/**
 * A file that is read through mappings of it: a page is copied from memory that the system shares
 * among all who map the file, without a system call.
 *
 * Windows of at most 1 GiB are mapped when they are first read, and stay until the process ends:
 * nothing tells when the last view of one is gone. A file that grew is mapped anew once much of it
 * is new; what no mapping holds is read. A database file never shrinks: if another program cuts it
 * off, or the disk fails under a mapped page, the system ends the process, as for every mapping.
 */
import type { StorageFile } from './storage.js';

/** How large windows are, and how many new bytes of one are worth another mapping. */
interface WindowSizes {
  readonly windowBytes: number;
  readonly growthBytesMin: number;
}

const SIZES: WindowSizes = { windowBytes: 2 ** 30, growthBytesMin: 2 ** 24 };

/** Maps a part of the file; undefined where that cannot be had. */
type MapPart = (offset: number, length: number) => ArrayBuffer | undefined;

export class MappedFile implements StorageFile {
  readonly #file: StorageFile;
  readonly #map: MapPart;
  readonly #windows: Uint8Array[] = [];
  readonly #sizes: WindowSizes;
  #isMappable = true;

  constructor(file: StorageFile, map: MapPart, sizes = SIZES) {
    this.#file = file;
    this.#map = map;
    this.#sizes = sizes;
  }

  read(target: Uint8Array, targetOffset: number, length: number, offset: number): number {
    const { windowBytes } = this.#sizes;
    const index = Math.floor(offset / windowBytes);
    const start = offset - index * windowBytes;
    const window = this.#window(index, start + length);
    if (window === undefined || start + length > window.length) {
      return this.#file.read(target, targetOffset, length, offset);
    }
    target.set(window.subarray(start, start + length), targetOffset);
    return length;
  }

  /** The window, mapped to an end if the file goes so far. */
  #window(index: number, end: number): Uint8Array | undefined {
    const known = this.#windows[index];
    if (known !== undefined && end <= known.length) return known;
    const { windowBytes, growthBytesMin } = this.#sizes;
    if (!this.#isMappable || end > windowBytes) return known;
    const first = index * windowBytes;
    const length = Math.min(windowBytes, this.#file.size() - first);
    const isWorth = known === undefined || length - known.length >= growthBytesMin;
    if (length < end || !isWorth) return known;
    const buffer = this.#map(first, length);
    if (buffer === undefined) {
      this.#isMappable = false;
      return known;
    }
    const window = new Uint8Array(buffer);
    this.#windows[index] = window;
    return window;
  }

  write(source: Uint8Array, sourceOffset: number, length: number, offset: number): number {
    return this.#file.write(source, sourceOffset, length, offset);
  }

  writeMany(sources: readonly Uint8Array[], offset: number): number {
    return this.#file.writeMany(sources, offset);
  }

  size(): number {
    return this.#file.size();
  }

  datasync(): void {
    this.#file.datasync();
  }

  close(): void {
    this.#file.close();
  }
}
