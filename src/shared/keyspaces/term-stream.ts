/**
 * The terms of a text on their way to the index: bytes that are filled, sent and filled again.
 *
 * One layout (term-bytes.ts) serves every analyzer; what differs is how the terms come in: straight
 * from ASCII bytes where the analyzer is ours, as strings otherwise. Both ways give the same bytes.
 */
import type { StemCache } from '../bytes/stem-cache.js';
import {
  appendAsciiWords,
  appendTerm,
  asciiRoomBytes,
  TERM_ROOM_BYTES,
  type TermSink,
  termsIn,
} from '../bytes/term-bytes.js';
import { invalidType } from '../errors.js';
import { type Analyzer, builtIn } from './analyzers.js';

const FIRST_BYTES = 2 ** 12;
/** A buffer that one long text made larger than this is given back. */
const KEPT_BYTES_MAX = 2 ** 22;

/** Terms as bytes; the buffer is another one after it has grown. */
export class TermStream implements TermSink {
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  /** Bytes in use. */
  length = 0;
  /** Terms in them. */
  count = 0;

  /** Forgets all terms. */
  reset(): void {
    this.length = 0;
    this.count = 0;
    if (this.bytes.length > KEPT_BYTES_MAX) this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  /** Appends a term, cut to the code points that fit 255 bytes. */
  addTerm(term: string): void {
    this.#reserve(TERM_ROOM_BYTES);
    appendTerm(this, term);
  }

  /**
   * Appends the terms of ASCII text as `standard` makes them, or as their stems. `source` must not
   * be the stream's own buffer, and all its bytes in the range below 0x80.
   */
  addAscii(source: Uint8Array, start: number, end: number, stems?: StemCache): void {
    this.#reserve(asciiRoomBytes(end - start));
    appendAsciiWords(this, { source, start, end, stems });
  }

  #reserve(sizeBytes: number): void {
    const needed = this.length + sizeBytes;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.floor(this.bytes.length * 1.5)));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}

/**
 * Appends the terms that any analyzer makes of a text; none of them when that fails. Throws what
 * the analyzer throws, and a TypeError when it returns anything but strings.
 */
export function streamTerms(stream: TermStream, analyze: Analyzer, text: string): void {
  const { length, count } = stream;
  try {
    for (const term of analyze(text)) {
      if (typeof term !== 'string') throw invalidType('a term of the analyzer', 'a string', term);
      stream.addTerm(term);
    }
  } catch (cause) {
    stream.length = length;
    stream.count = count;
    throw cause;
  }
}

/** Appends the terms of an analyzer of ours; false when none has this name. */
export function streamBuiltIn(stream: TermStream, name: string, text: string): boolean {
  const found = builtIn(name);
  found?.visitTerms(text, (term) => stream.addTerm(term));
  return found !== undefined;
}

/** A range of bytes that are all below 0x80. */
export interface AsciiRange {
  readonly source: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** The same straight from ASCII bytes; false when the analyzer has no such way. */
export function streamAscii(stream: TermStream, name: string, range: AsciiRange): boolean {
  const found = builtIn(name)?.ascii;
  if (found !== undefined) stream.addAscii(range.source, range.start, range.end, found.stems);
  return found !== undefined;
}

/** The terms between two offsets of a stream's bytes, in order. */
export function termsOf(bytes: Buffer, start: number, end: number): Iterable<string> {
  return termsIn(bytes, start, end);
}
