/**
 * Terms by their bytes, numbered as they come: a hash table with open addressing.
 */
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
  /** Where the bytes of each term begin; one more at the end. */
  #starts = new Uint32Array(64);
  #hashes = new Int32Array(64);
  /** The number of a term plus 1; 0 where there is none. */
  #slots = new Int32Array(128);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The number of the term in `[start, end)`. */
  intern(source: Uint8Array, start: number, end: number): number {
    const slots = this.#slots;
    const hashes = this.#hashes;
    const mask = slots.length - 1;
    const hash = hashOf(source, start, end);
    let slot = hash & mask;
    for (;;) {
      const found = (slots[slot] as number) - 1;
      if (found < 0) break;
      if (hashes[found] === hash && this.#equals(found, source, start, end)) return found;
      slot = (slot + 1) & mask;
    }
    return this.#add(slot, hash, source, start, end);
  }

  /** The bytes of a term; good until the next one is new. */
  bytes(term: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[term], this.#starts[term + 1]);
  }

  #equals(term: number, source: Uint8Array, start: number, end: number): boolean {
    const bytes = this.#bytes;
    const shift = (this.#starts[term] as number) - start;
    if ((this.#starts[term + 1] as number) - shift !== end) return false;
    for (let at = start; at < end; at++) if (bytes[at + shift] !== source[at]) return false;
    return true;
  }

  #add(slot: number, hash: number, source: Uint8Array, start: number, end: number): number {
    const term = this.#count++;
    const from = this.#starts[term] as number;
    const to = from + end - start;
    if (to > this.#bytes.length) {
      const larger = Buffer.alloc(2 * Math.max(this.#bytes.length, to));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    for (let at = start; at < end; at++) this.#bytes[from + at - start] = source[at] as number;
    if (this.#count === this.#starts.length) this.#growTerms();
    this.#starts[this.#count] = to;
    this.#hashes[term] = hash;
    this.#slots[slot] = term + 1;
    if (2 * this.#count > this.#slots.length) this.#rehash();
    return term;
  }

  #growTerms(): void {
    const starts = new Uint32Array(2 * this.#starts.length);
    const hashes = new Int32Array(2 * this.#hashes.length);
    starts.set(this.#starts);
    hashes.set(this.#hashes);
    this.#starts = starts;
    this.#hashes = hashes;
  }

  #rehash(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    const mask = this.#slots.length - 1;
    for (let term = 0; term < this.#count; term++) {
      let slot = (this.#hashes[term] as number) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = term + 1;
    }
  }
}
