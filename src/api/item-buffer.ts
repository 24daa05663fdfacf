/**
 * Gathers what goes to the writer in one operation: members with their scores, or values, one
 * behind another. All of them are checked by that before anything is sent.
 */
import { OPERATION_BYTES_MAX } from './writer-connection.js';

/** Room for the name before the items. */
const NAME_ROOM = 2048;
const ITEMS_BYTES_MAX = OPERATION_BYTES_MAX - NAME_ROOM;
/** As many as an answer has room for numbers. */
const ITEM_COUNT_MAX = 8000;
const FIRST_BYTES = 65536;

export class ItemBuffer {
  #bytes = Buffer.alloc(FIRST_BYTES);
  #length = 0;
  #partStart = 0;
  #partCount = 0;
  /** Where each full part ends. */
  readonly #ends: number[] = [];

  clear(): void {
    if (this.#bytes.length > 16 * FIRST_BYTES) this.#bytes = Buffer.alloc(FIRST_BYTES);
    this.#length = 0;
    this.#partStart = 0;
    this.#partCount = 0;
    this.#ends.length = 0;
  }

  /** Bytes of all items. */
  get length(): number {
    return this.#length;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Where the next item goes, `room` bytes of it being free. */
  reserve(room: number): number {
    const needed = this.#length + room;
    if (needed > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    return this.#length;
  }

  /** Ends the item that was written where `reserve` said. */
  add(length: number): void {
    const isFull = this.#length + length - this.#partStart > ITEMS_BYTES_MAX;
    if (isFull || this.#partCount === ITEM_COUNT_MAX) this.endPart();
    this.#length += length;
    this.#partCount++;
  }

  /** What follows goes in an operation of its own. */
  endPart(): void {
    if (this.#partCount === 0) return;
    this.#ends.push(this.#length);
    this.#partStart = this.#length;
    this.#partCount = 0;
  }

  /** The items, in as many parts as they need operations; good until the next `clear`. */
  parts(): Uint8Array[] {
    this.endPart();
    let start = 0;
    return this.#ends.map((end) => {
      const part = this.#bytes.subarray(start, end);
      start = end;
      return part;
    });
  }
}
