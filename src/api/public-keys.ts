/**
 * Ed25519 public keys and their fingerprints as users give them, in every form in which people pass
 * them on. What comes out is 32 bytes that may be sealed for: `checkPublicKey` has seen them.
 */
import { createPublicKey, KeyObject } from 'node:crypto';
import { checkPublicKey } from '../shared/bytes/identity-keys.js';
import { invalidType, outOfRange } from '../shared/errors.js';
import { bytesOfHex, publicHalf } from './key-files.js';

const FINGERPRINT_BYTES = 32;
const PEM_START = '-----BEGIN PUBLIC KEY-----';
/** A line of authorized_keys without options: 51 bytes in base64, and a comment. */
const OPENSSH = /^ssh-ed25519[ \t]+([A-Za-z0-9+/]{68})(?:[ \t]+[^\r\n]*)?$/u;
/** Before the key: the length of the name, the name, the length of the key. */
const OPENSSH_HEAD = Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0\x20', 'latin1');

/**
 * The 32 bytes of a public key: given as such, as 64 hex digits, as OpenSSH writes it, in PEM
 * (SubjectPublicKeyInfo), or as a key of the runtime, of a private one its public half.
 * @throws {TypeError} when it is none of these types.
 * @throws {RangeError} when it is no Ed25519 public key; nothing of what was given is told.
 */
export function publicKeyBytes(key: Uint8Array | string | KeyObject): Uint8Array {
  const bytes = bytesOf(key);
  checkPublicKey(bytes);
  return bytes;
}

function bytesOf(key: Uint8Array | string | KeyObject): Uint8Array {
  if (key instanceof Uint8Array) return new Uint8Array(key);
  if (key instanceof KeyObject) return keyObjectBytes(key);
  if (typeof key === 'string') return textBytes(key.trim());
  throw invalidType('public key', 'a Uint8Array, a string or a KeyObject', key);
}

function keyObjectBytes(key: KeyObject): Uint8Array {
  if (key.asymmetricKeyType !== 'ed25519') throw noPublicKey();
  return publicHalf(key);
}

function textBytes(text: string): Uint8Array {
  if (text.startsWith(PEM_START)) return pemBytes(text);
  const openSsh = OPENSSH.exec(text);
  const bytes = openSsh === null ? bytesOfHex(text) : openSshBytes(openSsh[1] as string);
  if (bytes === undefined) throw noPublicKey();
  return bytes;
}

function pemBytes(text: string): Uint8Array {
  let key: KeyObject;
  try {
    key = createPublicKey(text);
  } catch {
    throw noPublicKey(); // the runtime's own words may tell of the text
  }
  return keyObjectBytes(key);
}

function openSshBytes(base64: string): Uint8Array | undefined {
  const bytes = Buffer.from(base64, 'base64');
  const isEd25519 = bytes.subarray(0, OPENSSH_HEAD.length).equals(OPENSSH_HEAD);
  return isEd25519 ? new Uint8Array(bytes.subarray(OPENSSH_HEAD.length)) : undefined;
}

function noPublicKey(): RangeError {
  const forms = 'an Ed25519 public key: 32 bytes, hex, OpenSSH, PEM or a KeyObject';
  return outOfRange('public key', forms, 'something else');
}

/**
 * The 32 bytes of a fingerprint, given as such or as 64 hex digits.
 * @throws {TypeError} when it is of another type.
 * @throws {RangeError} when it is of another length, or not hex.
 */
export function fingerprintBytes(value: Uint8Array | string): Uint8Array {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw invalidType('fingerprint', 'a Uint8Array or a string', value);
  }
  const bytes = typeof value === 'string' ? bytesOfHex(value.trim()) : new Uint8Array(value);
  if (bytes?.length !== FINGERPRINT_BYTES) {
    throw outOfRange('fingerprint', '32 bytes or 64 hex digits', 'something else');
  }
  return bytes;
}
