/**
 * Terms by their bytes, numbered as they come: a hash table with open addressing.
 */
import { asciiText } from '../../shared/bytes/text.js';

const FNV_OFFSET = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

/** 32-bit FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_OFFSET;
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ (bytes[at] as number), FNV_PRIME);
  }
  return hash ^ (hash >>> 15);
}

export class TermTable {
  #bytes = Buffer.alloc(512);
  /** Where the bytes of each term end. */
  #ends = new Uint32Array(64);
  /** The number of a term plus 1; 0 where there is none. */
  #slots = new Int32Array(128);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The number of the term in `[start, end)`. */
  intern(source: Uint8Array, start: number, end: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(source, start, end) & mask;
    for (;;) {
      const found = (this.#slots[slot] as number) - 1;
      if (found < 0) break;
      if (this.#equals(found, source, start, end)) return found;
      slot = (slot + 1) & mask;
    }
    return this.#add(slot, source, start, end);
  }

  /** The bytes of a term; good until the next one is new. */
  bytes(term: number): Uint8Array {
    return this.#bytes.subarray(this.#start(term), this.#ends[term]);
  }

  /** All terms by their bytes. */
  sorted(): Uint32Array {
    const keys = Array.from({ length: this.#count }, (_, term) => {
      return asciiText(this.#bytes, this.#start(term), this.#ends[term] as number);
    });
    const order = Uint32Array.from({ length: this.#count }, (_, term) => term);
    return order.sort((a, b) => ((keys[a] as string) < (keys[b] as string) ? -1 : 1));
  }

  #start(term: number): number {
    return term === 0 ? 0 : (this.#ends[term - 1] as number);
  }

  #equals(term: number, source: Uint8Array, start: number, end: number): boolean {
    const from = this.#start(term);
    if ((this.#ends[term] as number) - from !== end - start) return false;
    for (let at = 0; at < end - start; at++) {
      if (this.#bytes[from + at] !== source[start + at]) return false;
    }
    return true;
  }

  #add(slot: number, source: Uint8Array, start: number, end: number): number {
    const term = this.#count++;
    const from = this.#start(term);
    const to = from + end - start;
    if (to > this.#bytes.length) {
      const larger = Buffer.alloc(2 * Math.max(this.#bytes.length, to));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    if (term === this.#ends.length) {
      const larger = new Uint32Array(2 * term);
      larger.set(this.#ends);
      this.#ends = larger;
    }
    for (let at = start; at < end; at++) this.#bytes[from + at - start] = source[at] as number;
    this.#ends[term] = to;
    this.#slots[slot] = term + 1;
    if (2 * this.#count > this.#slots.length) this.#rehash();
    return term;
  }

  #rehash(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    const mask = this.#slots.length - 1;
    for (let term = 0; term < this.#count; term++) {
      let slot = hashOf(this.#bytes, this.#start(term), this.#ends[term] as number) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = term + 1;
    }
  }
}
