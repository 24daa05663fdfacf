/**
 * Stems of short words by the bytes of the words: what makes indexing English as fast as it is.
 *
 * A word has one slot, by its hash, and shares it with others: the latest is there. No strings are
 * made for a word that is found, which are nine of ten; the stems of the others come from the
 * function that the cache was made with, which remembers more and asks less of a word.
 *
 *   offset  size  field
 *        0     1  wordSize  0 in an empty slot
 *        1     1  stemSize  0 for a word that is left out
 *        2    15  word
 *       17    15  stem
 */
import { assert } from '../assert.js';
import { asciiText } from './text.js';

const WORD_BYTES_MAX = 15;
const STEM_SIZE_OFFSET = 1;
const WORD_OFFSET = 2;
const STEM_OFFSET = WORD_OFFSET + WORD_BYTES_MAX;
const SLOT_BYTES = STEM_OFFSET + WORD_BYTES_MAX;
const SLOT_COUNT = 2 ** 15;

/** Starts a hash of bytes. */
export const HASH_SEED = 0x811c9dc5;

/** The hash of one byte more. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

/** A word in lower case in a buffer, and the hash of its bytes. */
export interface WordPlace {
  readonly start: number;
  readonly size: number;
  readonly hash: number;
}

export class StemCache {
  readonly #slots = new Uint8Array(SLOT_COUNT * SLOT_BYTES);
  readonly #stemOf: (word: string) => string;

  /**
   * @param stemOf - The stem of a word of letters a to z, no longer than the word; empty for a word
   *   that is left out.
   */
  constructor(stemOf: (word: string) => string) {
    this.#stemOf = stemOf;
  }

  /** Writes the stem over the word in `bytes`, and returns its size. */
  replaceWord(bytes: Buffer, { start, size, hash }: WordPlace): number {
    const slots = this.#slots;
    const slot = ((hash ^ (hash >>> 15)) & (SLOT_COUNT - 1)) * SLOT_BYTES;
    let isKnown = slots[slot] === size;
    for (let at = 0; isKnown && at < size; at++) {
      isKnown = slots[slot + WORD_OFFSET + at] === bytes[start + at];
    }
    if (!isKnown) return this.#replaceNewWord(bytes, { start, size }, slot);
    const stemSize = slots[slot + STEM_SIZE_OFFSET] as number;
    const stem = slot + STEM_OFFSET;
    for (let at = 0; at < stemSize; at++) bytes[start + at] = slots[stem + at] as number;
    return stemSize;
  }

  #replaceNewWord(
    bytes: Buffer,
    { start, size }: { start: number; size: number },
    slot: number,
  ): number {
    const stem = this.#stemOf(asciiText(bytes, start, start + size));
    assert(stem.length <= size, 'a stem is no longer than its word');
    const slots = this.#slots;
    const isShort = size <= WORD_BYTES_MAX;
    if (isShort) {
      slots[slot] = size;
      slots[slot + STEM_SIZE_OFFSET] = stem.length;
      slots.set(bytes.subarray(start, start + size), slot + WORD_OFFSET);
    }
    for (let at = 0; at < stem.length; at++) bytes[start + at] = stem.charCodeAt(at);
    if (isShort) slots.set(bytes.subarray(start, start + stem.length), slot + STEM_OFFSET);
    return stem.length;
  }
}
