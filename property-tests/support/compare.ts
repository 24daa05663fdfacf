/**
 * Says whether database and model agree: the same text, number or bytes, all the way down.
 */
import { inspect } from 'node:util';
import { isSameVector } from '../model/nearest.js';
import { Tolerance } from '../model/tolerance.js';

/** Throws with both sides when they differ. */
export function expectSame(actual: unknown, expected: unknown, context: string): void {
  const difference = differenceOf(actual, expected, '');
  if (difference === undefined) return;
  throw new Error(`${context}\n${difference}`);
}

/** Where and how two results differ; undefined when they do not. */
function differenceOf(actual: unknown, expected: unknown, path: string): string | undefined {
  if (expected instanceof Tolerance) {
    return expected.accepts(actual) ? undefined : say(path, actual, expected.describe());
  }
  if (Object.is(actual, expected)) return undefined;
  if (expected instanceof Uint8Array) {
    const isSame = isOwnBytes(actual) && Buffer.compare(actual, expected) === 0;
    return isSame ? undefined : say(path, actual, expected);
  }
  if (expected instanceof Float32Array) {
    return isSameVector(actual, expected) ? undefined : say(path, actual, expected);
  }
  if (Array.isArray(expected)) return differenceOfArrays(actual, expected, path);
  if (isPlain(expected) && isPlain(actual)) {
    const names = Object.keys(expected);
    if (names.toSorted().join() !== Object.keys(actual).toSorted().join()) {
      return say(path, actual, expected);
    }
    for (const name of names) {
      const found = differenceOf(actual[name], expected[name], `${path}.${name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return say(path, actual, expected);
}

function differenceOfArrays(
  actual: unknown,
  expected: readonly unknown[],
  path: string,
): string | undefined {
  if (!Array.isArray(actual)) return say(path, actual, expected);
  const length = Math.min(actual.length, expected.length);
  for (let index = 0; index < length; index++) {
    const found = differenceOf(actual[index], expected[index], `${path}[${index}]`);
    if (found !== undefined) return found;
  }
  if (actual.length === expected.length) return undefined;
  const surplus = actual.length > length ? actual[length] : expected[length];
  const lengths = say(`${path}.length`, actual.length, expected.length);
  return `${lengths}\nfirst without a partner: ${shown(surplus)}`;
}

/** Bytes that the caller may keep: not a view of memory that the database goes on using. */
function isOwnBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
}

function say(path: string, actual: unknown, expected: unknown): string {
  return `at ${path || 'the result'}:\n  database ${shown(actual)}\n  model    ${shown(expected)}`;
}

function shown(value: unknown): string {
  return inspect(value, { depth: 4, maxStringLength: 200, maxArrayLength: 12 });
}
