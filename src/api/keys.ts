/**
 * Keys as the caller gives them, to bytes.
 */
import { checkWellFormed, validText, writeText } from '../shared/bytes/text.js';
import { invalidType, MnemeError, outOfRange } from '../shared/errors.js';
import type { KeysKind } from '../shared/keyspaces/catalog.js';
import { KEY_BYTES_MAX, KEYSPACE_NAME_BYTES_MAX } from '../shared/limits.js';

/**
 * Text, or bytes; at most 1024 bytes, in UTF-8. Keys stand in the order of their bytes. Where keys
 * are text, bytes stand for the text that they encode.
 */
export type Key = string | Uint8Array;

const SHORT_KEY = 48;

/** Writes a key to `target` at `offset`, where 3 KiB must be free; returns its length in bytes. */
export function writeKey(key: Key, kind: KeysKind, target: Buffer, offset: number): number {
  if (typeof key !== 'string') return writeBytesKey(key, kind, target, offset);
  const { length } = key;
  if (length <= SHORT_KEY) {
    let at = 0;
    for (; at < length; at++) {
      const code = key.charCodeAt(at);
      if (code > 127) break;
      target[offset + at] = code;
    }
    if (at === length) return length;
  }
  if (length > KEY_BYTES_MAX) throw keyTooLarge(Buffer.byteLength(key));
  const written = writeText(target, key, offset);
  if (written !== length) checkWellFormed(key, 'key');
  if (written > KEY_BYTES_MAX) throw keyTooLarge(written);
  return written;
}

function writeBytesKey(key: Uint8Array, kind: KeysKind, target: Buffer, offset: number): number {
  if (!(key instanceof Uint8Array)) throw invalidType('key', 'a string or Uint8Array', key);
  if (key.length > KEY_BYTES_MAX) throw keyTooLarge(key.length);
  if (kind === 'text' && validText(key) === undefined) {
    throw invalidType('key', 'valid UTF-8 in a keyspace of text keys', 'other bytes');
  }
  target.set(key, offset);
  return key.length;
}

function keyTooLarge(sizeBytes: number): MnemeError {
  return new MnemeError('ERR_MNEME_KEY_TOO_LARGE', { sizeBytes });
}

const scratch = Buffer.alloc(3 * KEY_BYTES_MAX);

/** A key that stays what it is: a string itself, its bytes in an array of their own. */
export function fixedKey(key: Key, kind: KeysKind): Key {
  if (typeof key !== 'string') return keyBytes(key, kind);
  writeKey(key, kind, scratch, 0); // it may be none
  return key;
}

/** Writes such a key as `writeKey` does; its bytes are known to be a key. */
export function writeFixedKey(key: Key, kind: KeysKind, target: Buffer, offset: number): number {
  if (typeof key === 'string') return writeKey(key, kind, target, offset);
  target.set(key, offset);
  return key.length;
}

/** A key's bytes, in an array of their own. */
export function keyBytes(key: Key, kind: KeysKind): Uint8Array {
  return new Uint8Array(scratch.subarray(0, writeKey(key, kind, scratch, 0)));
}

/** @throws {TypeError | RangeError} when it cannot name a keyspace. */
export function checkKeyspaceName(name: unknown): string {
  if (typeof name !== 'string') throw invalidType('name', 'a string', name);
  checkWellFormed(name, 'name');
  const length = Buffer.byteLength(name);
  if (length < 1 || length > KEYSPACE_NAME_BYTES_MAX) {
    throw outOfRange('name', `1 to ${KEYSPACE_NAME_BYTES_MAX} bytes long`, `${length} bytes`);
  }
  return name;
}
