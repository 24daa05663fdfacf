/**
 * The terms of a text as bytes, in their order, as they are sent to the writer: of each its length
 * in one byte and its UTF-8. Terms that are too long are cut.
 */
import { asciiText, utf8Text, writeText } from '../bytes/text.js';
import { TERM_BYTES_MAX } from '../limits.js';
import type { WordChange } from './analyzers.js';

const BYTES_MIN = 65536;
const [A, Z, LOWER] = [65, 90, 32];

/** By byte: what an ASCII letter or digit becomes, 0 for all others. */
const wordBytes = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= A && byte <= Z) return byte + LOWER;
  return /^[a-z0-9]$/u.test(String.fromCharCode(byte)) ? byte : 0;
});

/** Where a term of this many bytes is cut: not within a code point. */
export function termEnd(bytes: Uint8Array, start: number, end: number): number {
  if (end - start <= TERM_BYTES_MAX) return end;
  let cut = start + TERM_BYTES_MAX;
  while (((bytes[cut] as number) & 0xc0) === 0x80) cut--;
  return cut;
}

export class TermStream {
  #bytes = Buffer.alloc(BYTES_MIN);
  #length = 0;

  reset(): void {
    this.#length = 0;
    if (this.#bytes.length > 16 * BYTES_MIN) this.#bytes = Buffer.alloc(BYTES_MIN);
  }

  /** What was added; good until the next change. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.alloc(2 * needed);
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  addTerm(term: string): void {
    this.#reserve(1 + 3 * term.length);
    const start = this.#length + 1;
    const end = termEnd(this.#bytes, start, start + writeText(this.#bytes, term, start));
    this.#bytes[this.#length] = end - start;
    this.#length = end;
  }

  /** Adds the words of ASCII as 'standard' finds them, changed if need be. */
  addAscii(source: Buffer, start: number, end: number, change?: WordChange): void {
    this.#reserve(2 * (end - start) + 1);
    for (let at = start; at < end; at++) {
      if (wordBytes[source[at] as number] === 0) continue;
      const from = at;
      const to = this.#length + 1 - from;
      for (; at < end; at++) {
        const byte = wordBytes[source[at] as number] as number;
        if (byte === 0) break;
        this.#bytes[to + at] = byte;
      }
      const word = this.#length + 1;
      if (change === undefined) this.#endTerm(word + at - from);
      else this.#addChanged(change(asciiText(this.#bytes, word, word + at - from)));
    }
  }

  #endTerm(end: number): void {
    const cut = termEnd(this.#bytes, this.#length + 1, end);
    this.#bytes[this.#length] = cut - this.#length - 1;
    this.#length = cut;
  }

  #addChanged(term: string | undefined): void {
    if (term !== undefined) this.addTerm(term);
  }
}

/** The terms of a stream, one by one. */
export function* termsIn(bytes: Buffer): Generator<string> {
  for (let at = 0; at < bytes.length; ) {
    const next = at + 1 + (bytes[at] as number);
    yield utf8Text(bytes, at + 1, next);
    at = next;
  }
}
