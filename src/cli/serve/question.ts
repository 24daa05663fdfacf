/**
 * What the page asks, and how its parts are read.
 */
import { outOfRange } from '../../shared/errors.js';

export interface Question {
  readonly query: URLSearchParams;
  /** Of what changes something; empty otherwise. */
  readonly body: Readonly<Record<string, unknown>>;
}

export type Route = (question: Question) => unknown;
/** By method and path. */
export type Routes = ReadonlyMap<string, Route>;

/** What was asked for is not there. */
export class NotThere extends Error {}

/** A text that has to be there. @throws {RangeError} */
export function textIn({ query }: Question, name: string): string {
  const text = query.get(name);
  if (text === null) throw outOfRange(name, 'there', 'nothing');
  return text;
}

/** A number, or what it is when it is not said. @throws {RangeError} */
export function numberIn({ query }: Question, name: string, otherwise: number): number {
  const text = query.get(name);
  if (text === null || text === '') return otherwise;
  const number = Number(text);
  if (!Number.isFinite(number)) throw outOfRange(name, 'a number', text);
  return number;
}

/** One of several words; the first when it is not said. @throws {RangeError} */
export function wordIn<T extends string>(
  { query }: Question,
  name: string,
  words: readonly [T, ...T[]],
): T {
  const text = query.get(name) ?? words[0];
  const word = words.find((it) => it === text);
  if (word === undefined) throw outOfRange(name, words.join(' or '), text);
  return word;
}

/** Keys travel as base64url of their bytes. */
export function encodeId(key: string | Uint8Array): string {
  return Buffer.from(key as string).toString('base64url');
}

export function decodeId(id: string, keys: 'text' | 'bytes'): string | Uint8Array {
  const bytes = Buffer.from(id, 'base64url');
  return keys === 'text' ? bytes.toString() : new Uint8Array(bytes);
}
