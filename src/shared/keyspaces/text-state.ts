/**
 * Settings and counters of a keyspace of full text, as its record in the catalog has them.
 *
 *   offset  size  field of full text
 *        0     1  bits 0 positions are stored, 1 indexing is paused, 2 an index is being built,
 *                 3 that one stores positions
 *        1     1  length of the analyzer's name
 *        2     8  k1
 *       10     8  b
 *       18     4  lastNumber      the highest number that a document was given
 *       22    16  documents (6), their length together (6) and the last term's number (4)
 *       38    16  the same of the index that is being built
 *       54     4  cursor          the last document that the index being built has
 *       58        the analyzer's name
 */
import { readF64, readU32, readU48, writeF64, writeU32, writeU48 } from '../bytes/integers.js';
import { validText } from '../bytes/text.js';
import { MnemeError } from '../errors.js';
import { ANALYZER_NAME_BYTES_MAX } from '../limits.js';

const TEXT_BYTES = 58;
const SETTINGS_BYTES = 17;
export const TEXT_STATE_BYTES_MAX = TEXT_BYTES + ANALYZER_NAME_BYTES_MAX;

/** What the catalog holds of a keyspace's full text besides its trees. */
export interface TextState {
  analyzerName: string;
  readonly k1: number;
  readonly b: number;
  positions: boolean;
  /** Of the index that is being built. */
  nextPositions: boolean;
  paused: boolean;
  building: boolean;
  lastNumber: number;
  current: IndexCounters;
  next: IndexCounters;
  /** The last document that the index being built has. */
  cursor: number;
}

/** What a keyspace of full text is created with. */
export type TextSettings = Pick<TextState, 'analyzerName' | 'k1' | 'b' | 'positions'>;

/** What an index counts. */
export interface IndexCounters {
  documents: number;
  /** Terms of all documents together. */
  totalLength: number;
  /** The highest number that a term was given. */
  lastTerm: number;
}

export function newCounters(): IndexCounters {
  return { documents: 0, totalLength: 0, lastTerm: 0 };
}

export function newTextState(settings: TextSettings): TextState {
  const counters = { current: newCounters(), next: newCounters(), cursor: 0 };
  return {
    ...settings,
    nextPositions: false,
    paused: false,
    building: false,
    lastNumber: 0,
    ...counters,
  };
}

export function copyTextState(text: TextState): TextState {
  return { ...text, current: { ...text.current }, next: { ...text.next } };
}

/** The same but for the index that is being built. */
export function withoutNextIndex(text: TextState): TextState {
  const none = { building: false, nextPositions: false, next: newCounters(), cursor: 0 };
  return { ...copyTextState(text), ...none };
}

/** Writes settings and counters of full text; returns their length. */
export function encodeTextState(text: TextState, target: Uint8Array, at: number): number {
  const name = Buffer.from(text.analyzerName);
  const flags = [text.positions, text.paused, text.building, text.nextPositions];
  target[at] = flags.reduce((bits, flag, bit) => bits | (flag ? 1 << bit : 0), 0);
  target[at + 1] = name.length;
  writeF64(target, at + 2, text.k1);
  writeF64(target, at + 10, text.b);
  writeU32(target, at + 18, text.lastNumber);
  encodeCounters(text.current, target, at + 22);
  encodeCounters(text.next, target, at + 38);
  writeU32(target, at + 54, text.cursor);
  target.set(name, at + TEXT_BYTES);
  return TEXT_BYTES + name.length;
}

function encodeCounters(counters: IndexCounters, target: Uint8Array, at: number): void {
  writeU48(target, at, counters.documents);
  writeU48(target, at + 6, counters.totalLength);
  writeU32(target, at + 12, counters.lastTerm);
}

function decodeCounters(bytes: Uint8Array, at: number): IndexCounters {
  const documents = readU48(bytes, at);
  return {
    documents,
    totalLength: readU48(bytes, at + 6),
    lastTerm: readU32(bytes, at + 12),
  };
}

/** The bytes of settings and counters of full text in a record. */
export function textStateLength(bytes: Uint8Array, at: number): number {
  return TEXT_BYTES + (bytes[at + 1] as number);
}

/** @throws {MnemeError} `ERR_MNEME_CORRUPT` when no version of MNEME writes such settings. */
export function decodeTextState(bytes: Uint8Array, at: number): TextState {
  const flags = bytes[at] as number;
  const nameEnd = at + TEXT_BYTES + (bytes[at + 1] as number);
  const text = {
    analyzerName: validText(bytes.slice(at + TEXT_BYTES, nameEnd)) ?? '',
    k1: readF64(bytes, at + 2),
    b: readF64(bytes, at + 10),
    positions: (flags & 1) !== 0,
    paused: (flags & 2) !== 0,
    building: (flags & 4) !== 0,
    nextPositions: (flags & 8) !== 0,
    lastNumber: readU32(bytes, at + 18),
    current: decodeCounters(bytes, at + 22),
    next: decodeCounters(bytes, at + 38),
    cursor: readU32(bytes, at + 54),
  };
  const isRight = Number.isFinite(text.k1) && text.k1 >= 0 && text.b >= 0 && text.b <= 1;
  if (isRight && text.analyzerName !== '') return text;
  throw new MnemeError('ERR_MNEME_CORRUPT', { reason: 'unknown settings of full text' });
}

/** What a keyspace is created with, to be sent. */
export function encodeSettings({ analyzerName, k1, b, positions }: TextSettings): Uint8Array {
  const name = Buffer.from(analyzerName);
  const bytes = new Uint8Array(SETTINGS_BYTES + name.length);
  writeF64(bytes, 0, k1);
  writeF64(bytes, 8, b);
  bytes[16] = positions ? 1 : 0;
  bytes.set(name, SETTINGS_BYTES);
  return bytes;
}

export function decodeSettings(bytes: Uint8Array): TextSettings {
  const analyzerName = Buffer.from(bytes.subarray(SETTINGS_BYTES)).toString();
  return { analyzerName, k1: readF64(bytes, 0), b: readF64(bytes, 8), positions: bytes[16] === 1 };
}
