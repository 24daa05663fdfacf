/**
 * Ed25519 public keys and fingerprints as people write them.
 */
import { createPublicKey, KeyObject } from 'node:crypto';
import { checkPublicKey, PUBLIC_KEY_BYTES } from '../shared/bytes/identity-keys.js';
import { invalidType, outOfRange } from '../shared/errors.js';

const HEX = /^[0-9a-f]{64}$/iu;
const OPENSSH = /^ssh-ed25519\s+([A-Za-z0-9+/]+=*)(\s.*)?$/u;
const OPENSSH_HEAD = Buffer.from('0000000b7373682d6564323535313900000020', 'hex');
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
const FINGERPRINT_BYTES = 32;

function noKey(): RangeError {
  return outOfRange('publicKey', 'an Ed25519 public key: 32 bytes, hex, PEM or OpenSSH', 'another');
}

/** The 32 bytes of a public key: raw, hex, OpenSSH or PEM text, or a key of the runtime's. */
export function publicKeyBytes(key: Uint8Array | string | KeyObject): Uint8Array {
  const bytes = rawKey(key);
  checkPublicKey(bytes);
  return bytes;
}

function rawKey(key: Uint8Array | string | KeyObject): Uint8Array {
  if (key instanceof Uint8Array) return Uint8Array.from(key);
  if (key instanceof KeyObject) return spkiKey(key);
  if (typeof key !== 'string') throw invalidType('publicKey', 'bytes, text or a KeyObject', key);
  const text = key.trim();
  if (HEX.test(text)) return new Uint8Array(Buffer.from(text, 'hex'));
  const openSsh = OPENSSH.exec(text);
  if (openSsh !== null)
    return withoutHead(Buffer.from(openSsh[1] as string, 'base64'), OPENSSH_HEAD);
  if (text.startsWith('-----BEGIN')) return spkiKey(text);
  throw noKey();
}

function withoutHead(bytes: Buffer, head: Buffer): Uint8Array {
  const isWhole = bytes.length === head.length + PUBLIC_KEY_BYTES;
  if (!isWhole || !bytes.subarray(0, head.length).equals(head)) throw noKey();
  return new Uint8Array(bytes.subarray(head.length));
}

/** The public half, where a private key is given. */
function spkiKey(key: string | KeyObject): Uint8Array {
  let der: Buffer;
  try {
    const isPublic = key instanceof KeyObject && key.type === 'public';
    const publicKey = isPublic ? key : createPublicKey(key as string);
    der = publicKey.export({ format: 'der', type: 'spki' });
  } catch {
    throw noKey(); // the runtime's own words may tell of a private key
  }
  return withoutHead(der, SPKI_HEAD);
}

/** The 32 bytes of a fingerprint: raw or hex. */
export function fingerprintBytes(fingerprint: Uint8Array | string): Uint8Array {
  if (typeof fingerprint === 'string' && HEX.test(fingerprint)) {
    return new Uint8Array(Buffer.from(fingerprint, 'hex'));
  }
  const isText = typeof fingerprint === 'string';
  if (!isText && !(fingerprint instanceof Uint8Array)) {
    throw invalidType('fingerprint', 'bytes or hex', fingerprint);
  }
  if (!isText && fingerprint.length === FINGERPRINT_BYTES) return fingerprint;
  throw outOfRange('fingerprint', '32 bytes, or 64 hex digits', fingerprint.length);
}
