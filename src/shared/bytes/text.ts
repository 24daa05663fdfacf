/**
 * Text to bytes and back, at the speed of the runtime's own routines, on shared memory too.
 */
import { invalidType } from '../errors.js';

/** Buffer methods that exist in every Node but are missing in its types. */
interface RawSlices {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
  utf8Write(text: string, offset: number, length: number): number;
}

export function asciiText(buffer: Buffer, start: number, end: number): string {
  return (buffer as unknown as RawSlices).latin1Slice(start, end);
}

export function utf8Text(buffer: Buffer, start: number, end: number): string {
  return (buffer as unknown as RawSlices).utf8Slice(start, end);
}

/**
 * Writes text as UTF-8 and returns the bytes used; there must be room for three a character. That
 * is said to the runtime: left to work out the room in a buffer of 2 GiB, Node 20 finds
 * none.
 */
export function writeText(buffer: Buffer, text: string, offset: number): number {
  return (buffer as unknown as RawSlices).utf8Write(text, offset, text.length * 3);
}

/** A lone surrogate would come back as another character. */
export function checkWellFormed(text: string, name: string): void {
  if (!text.isWellFormed()) throw invalidType(name, 'well-formed text', 'a lone surrogate');
}

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text that the bytes are in UTF-8, or undefined. */
export function validText(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined; // decode says that the bytes are not UTF-8, which is the answer
  }
}
