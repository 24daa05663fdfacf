/**
 * The system's reads of database files, one of which can be made to fail: with an error, or as at
 * the end of the file. Whatever else reads files is left alone.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';

export type ReadFault = 'EIO' | 'ends' | 'stops';
export const READ_FAULTS: readonly ReadFault[] = ['EIO', 'ends', 'stops'];

type ReadCall = (
  descriptor: number,
  target: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => number;

const files = createRequire(import.meta.url)('node:fs') as { readSync: ReadCall };

export class FailingReads {
  /** Reads since `failAt`. */
  count = 0;
  #place = -1;
  #fault: ReadFault = 'EIO';

  constructor() {
    const read = files.readSync;
    files.readSync = (descriptor, target, offset, length, position) => {
      // Database files alone are read at a place that is given.
      if (typeof position !== 'number' || this.count++ !== this.#place) {
        return read(descriptor, target, offset, length, position);
      }
      if (this.#fault === 'ends') return 0;
      if (this.#fault === 'stops') {
        return read(descriptor, target, offset, Math.ceil(length / 2), position);
      }
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
    };
    syncBuiltinESMExports();
  }

  /** The read with this number fails, counted from now; -1 for none. */
  failAt(place: number, fault: ReadFault): void {
    this.count = 0;
    this.#place = place;
    this.#fault = fault;
  }
}
