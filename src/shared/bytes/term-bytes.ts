/**
 * Terms as bytes: what the index stores and the writer is sent, straight from ASCII where possible.
 *
 *   offset  size    field
 *        0     1    size      of the term, 0 to 255
 *        1  size    the term  in UTF-8
 *
 * and so on, one term behind the other in the order of the text. Most text is ASCII, and most of
 * the time of indexing it is spent here; so its words go from bytes to bytes, without strings. The
 * slow twin is the analyzer for strings.
 */
import { assert } from '../assert.js';
import { TERM_BYTES_MAX } from '../limits.js';
import { HASH_SEED, hashByte, type StemCache } from './stem-cache.js';
import { utf8Text, writeText } from './text.js';

/** Where terms are appended. Whoever appends makes room first. */
export interface TermSink {
  bytes: Buffer;
  /** Bytes in use. */
  length: number;
  /** Terms in them. */
  count: number;
}

/** Room that any single term needs: 256 characters of it are looked at, each of three bytes. */
export const TERM_ROOM_BYTES = 1 + 3 * (TERM_BYTES_MAX + 1);

/** Room that the words of so many bytes of ASCII need: each has at least a separator behind it. */
export function asciiRoomBytes(sizeBytes: number): number {
  return sizeBytes + 1;
}

const DIGIT = 1;
const LETTER = 2;

/** For each byte: what it is in a word, and how it is written in lower case. */
const KINDS = new Uint8Array(256);
const LOWER = new Uint8Array(256);
for (let digit = 0x30; digit <= 0x39; digit++) [KINDS[digit], LOWER[digit]] = [DIGIT, digit];
for (let lower = 0x61; lower <= 0x7a; lower++) {
  for (const letter of [lower, lower - 0x20]) [KINDS[letter], LOWER[letter]] = [LETTER, lower];
}

/** The size of a term that is too long: as many of its code points as fit. */
function cutSize(bytes: Uint8Array, start: number): number {
  let size = TERM_BYTES_MAX;
  while (((bytes[start + size] as number) & 0xc0) === 0x80) size -= 1;
  return size;
}

/** Appends a term; a lone surrogate becomes U+FFFD, as in all UTF-8. */
export function appendTerm(sink: TermSink, term: string): void {
  const { bytes } = sink;
  const start = sink.length + 1;
  const length = Math.min(term.length, TERM_BYTES_MAX + 1);
  let size = 0;
  for (; size < length; size++) {
    const code = term.charCodeAt(size);
    if (code >= 0x80) break;
    bytes[start + size] = code;
  }
  if (size < length) size = writeText(bytes, term.slice(0, length), start);
  if (size > TERM_BYTES_MAX) size = cutSize(bytes, start);
  bytes[start - 1] = size;
  sink.length = start + size;
  sink.count += 1;
}

/** Which bytes to take words from, and their stems if these are wanted. */
export interface AsciiWords {
  readonly source: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly stems?: StemCache | undefined;
}

/**
 * Appends the words of ASCII, runs of letters and digits in lower case; with `stems`, a word of
 * letters only that is no longer than a term as its stem.
 */
export function appendAsciiWords(sink: TermSink, { source, start, end, stems }: AsciiWords): void {
  const { bytes } = sink;
  for (let at = start; at < end; at++) {
    if (KINDS[source[at] as number] === 0) continue;
    const first = at;
    const target = sink.length + 1;
    let kinds = 0;
    let hash = HASH_SEED;
    for (; at < end; at++) {
      const byte = source[at] as number;
      const kind = KINDS[byte] as number;
      if (kind === 0) break;
      kinds |= kind;
      const lower = LOWER[byte] as number;
      hash = hashByte(hash, lower);
      bytes[target + at - first] = lower;
    }
    let size = at - first;
    if (stems !== undefined && kinds === LETTER && size <= TERM_BYTES_MAX) {
      size = stems.replaceWord(bytes, { start: target, size, hash });
      if (size === 0) continue;
    }
    size = Math.min(size, TERM_BYTES_MAX);
    bytes[target - 1] = size;
    sink.length = target + size;
    sink.count += 1;
  }
}

/** The terms in a range of bytes, in order. */
export function* termsIn(bytes: Buffer, start: number, end: number): Generator<string> {
  for (let at = start; at < end; ) {
    const next = at + 1 + (bytes[at] as number);
    assert(next <= end, 'terms end where their bytes end');
    yield utf8Text(bytes, at + 1, next);
    at = next;
  }
}

/** A term as the index has it: cut where it is too long. */
export function cutTerm(term: string): string {
  if (term.length * 3 <= TERM_BYTES_MAX) return term;
  const sink = { bytes: Buffer.allocUnsafe(TERM_ROOM_BYTES), length: 0, count: 0 };
  appendTerm(sink, term);
  return utf8Text(sink.bytes, 1, sink.length);
}
