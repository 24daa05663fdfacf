/**
 * Ed25519 keys as people keep them: a seed of 32 bytes in a file, raw, as hex, in PEM or as OpenSSH
 * writes it. The curve is the runtime's; only the containers are taken apart here.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { invalidType, outOfRange } from '../shared/errors.js';

const SEED_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;
/** No key file is longer: what is, is none. */
const FILE_BYTES_MAX = 16 * 1024;
const HEX = /^[0-9a-f]{64}$/iu;
const OPENSSH = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*)-----END OPENSSH PRIVATE KEY-----/u;
const OPENSSH_MAGIC = 'openssh-key-v1\0';
const OPENSSH_TYPE = 'ssh-ed25519';
/** PKCS #8 and SubjectPublicKeyInfo of Ed25519 but for the key, RFC 8410. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_HEAD_BYTES = 12;
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/** A seed and the public key that it gives. */
export interface KeyPair {
  /** The secret: 32 bytes. */
  seed: Uint8Array;
  /** 32 bytes. */
  publicKey: Uint8Array;
}

/** A new key pair from the system's random numbers. */
export function generateKeyPair(): KeyPair {
  const seed = new Uint8Array(randomBytes(SEED_BYTES));
  return { seed, publicKey: publicKeyFromSeed(seed) };
}

/** The 32-byte Ed25519 public key of a 32-byte seed. */
export function publicKeyFromSeed(seed: Uint8Array): Uint8Array {
  checkBytes('seed', seed, SEED_BYTES);
  const der = Buffer.concat([PKCS8_HEAD, seed]);
  try {
    return publicHalf(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  } finally {
    der.fill(0);
  }
}

/** The 32 bytes of an Ed25519 public key, or of that of a private one. */
export function publicHalf(key: KeyObject): Uint8Array {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return new Uint8Array(spki.subarray(SPKI_HEAD_BYTES));
}

/** SHA-256 of a public key, 32 bytes: the name that a key goes by. */
export function fingerprint(publicKey: Uint8Array): Uint8Array {
  checkBytes('publicKey', publicKey, PUBLIC_KEY_BYTES);
  return new Uint8Array(createHash('sha256').update(publicKey).digest());
}

function checkBytes(name: string, bytes: Uint8Array, length: number): void {
  if (!(bytes instanceof Uint8Array)) throw invalidType(name, 'a Uint8Array', bytes);
  if (bytes.length !== length) throw outOfRange(name, `${length} bytes long`, bytes.length);
}

/**
 * Writes a seed as a line of hex to a new file that only its owner may read.
 * @throws {Error} the system's own: `EEXIST` when there is such a file.
 */
export function writeKeyFile(path: string | URL, seed: Uint8Array): void {
  checkBytes('seed', seed, SEED_BYTES);
  const file = openSync(path, 'wx', OWNER_ONLY);
  try {
    writeSync(file, `${Buffer.from(seed).toString('hex')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Reads a seed: 32 raw bytes, 64 hex digits, PEM (PKCS #8), or an OpenSSH key without a passphrase.
 * Warns when others may read the file, too.
 * @throws {RangeError} when the file holds no Ed25519 key; nothing of what it holds is told.
 * @throws {Error} the system's own when it cannot be read.
 */
export function readKeyFile(path: string | URL): KeyPair {
  const { size, mode } = statSync(path);
  if (size > FILE_BYTES_MAX) throw noKey();
  const bytes = readFileSync(path);
  try {
    const seed = seedOf(bytes);
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
      process.emitWarning(
        `others may read the key file ${String(path)}: chmod 600`,
        'MnemeWarning',
      );
    }
    return { seed, publicKey: publicKeyFromSeed(seed) };
  } finally {
    bytes.fill(0);
  }
}

function noKey(): RangeError {
  return outOfRange('key file', 'an Ed25519 seed: raw, hex, PEM or OpenSSH', 'something else');
}

function seedOf(bytes: Buffer): Uint8Array {
  if (bytes.length === SEED_BYTES) return new Uint8Array(bytes);
  const text = bytes.toString('latin1').trim();
  const hex = bytesOfHex(text);
  if (hex !== undefined) return hex;
  const openSsh = OPENSSH.exec(text);
  if (openSsh !== null) return openSshSeed(Buffer.from(openSsh[1] as string, 'base64'));
  if (text.startsWith('-----BEGIN')) return pemSeed(text);
  throw noKey();
}

/** The 32 bytes of 64 hex digits; undefined when `text` is something else. */
export function bytesOfHex(text: string): Uint8Array | undefined {
  return HEX.test(text) ? new Uint8Array(Buffer.from(text, 'hex')) : undefined;
}

function pemSeed(text: string): Uint8Array {
  try {
    return derSeed(createPrivateKey(text));
  } catch {
    throw noKey(); // the runtime's own words may tell of the key
  }
}

function derSeed(key: KeyObject): Uint8Array {
  const der = key.export({ format: 'der', type: 'pkcs8' });
  const head = der.subarray(0, PKCS8_HEAD.length);
  if (der.length !== PKCS8_HEAD.length + SEED_BYTES || !head.equals(PKCS8_HEAD)) throw noKey();
  const seed = new Uint8Array(der.subarray(PKCS8_HEAD.length));
  der.fill(0);
  return seed;
}

/** The seed of a private key of the runtime's. @throws {RangeError} when it is no Ed25519 key. */
export function seedOfKey(key: KeyObject): Uint8Array {
  const isOurs = key.type === 'private' && key.asymmetricKeyType === 'ed25519';
  if (!isOurs) throw outOfRange('key', 'a private Ed25519 key', key.asymmetricKeyType ?? key.type);
  return derSeed(key);
}

/** Fields of an OpenSSH key: a length of 4 bytes, big-endian, and as many bytes. */
class Fields {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  skip(length: number): void {
    this.#at += length;
  }

  next(): Buffer {
    if (this.#at + 4 > this.#bytes.length) throw noKey();
    const start = this.#at + 4;
    const end = start + this.#bytes.readUInt32BE(this.#at);
    if (end > this.#bytes.length) throw noKey();
    this.#at = end;
    return this.#bytes.subarray(start, end);
  }
}

/** https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.key */
function openSshSeed(bytes: Buffer): Uint8Array {
  if (bytes.toString('latin1', 0, OPENSSH_MAGIC.length) !== OPENSSH_MAGIC) throw noKey();
  const fields = new Fields(bytes, OPENSSH_MAGIC.length);
  const cipher = fields.next().toString('latin1');
  if (cipher !== 'none') throw outOfRange('key file', 'without a passphrase', cipher);
  fields.next(); // the derivation of a key from the passphrase
  fields.next(); // its options
  fields.skip(4); // how many keys: one
  fields.next(); // the public key
  const secret = new Fields(fields.next(), 8); // behind two equal check numbers
  if (secret.next().toString('latin1') !== OPENSSH_TYPE) throw noKey();
  secret.next(); // the public key again
  const pair = secret.next();
  if (pair.length !== SEED_BYTES + PUBLIC_KEY_BYTES) throw noKey();
  const seed = new Uint8Array(pair.subarray(0, SEED_BYTES));
  if (!pair.subarray(SEED_BYTES).equals(publicKeyFromSeed(seed))) throw noKey();
  return seed;
}
