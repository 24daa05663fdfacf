/**
 * Hybrid public key encryption (RFC 9180) of one message in base mode, with
 * DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305: how a data key is wrapped for the
 * holder of an X25519 secret. Nothing proves who sealed; the caller has to.
 *
 * Every message has a key of its own, made with a new ephemeral secret, so that the nonce never
 * repeats. The names in quotes are those of the RFC.
 */
import { assert } from '../assert.js';
import { outOfRange } from '../errors.js';
import { CHACHA_KEY_BYTES, CHACHA_NONCE_BYTES, chaCha, TAG_BYTES } from './chacha.js';
import { nobleCurves, nobleHashes } from './noble.js';

export const X25519_KEY_BYTES = 32;
const SHARED_SECRET_BYTES = 32;

const EMPTY = new Uint8Array();
const VERSION = Buffer.from('HPKE-v1');
const MODE_BASE = Uint8Array.of(0);
/** The `suite_id` of the key encapsulation: KEM 0x0020. */
const KEM_SUITE = Buffer.from('KEM\x00\x20', 'latin1');
/** And of all else: KEM 0x0020, KDF 0x0001, AEAD 0x0003. */
const HPKE_SUITE = Buffer.from('HPKE\x00\x20\x00\x01\x00\x03', 'latin1');

export interface HpkeMessage {
  /** The ephemeral public key. */
  readonly enc: Uint8Array;
  /** The sealed bytes, and the tag behind them. */
  readonly sealed: Uint8Array;
}

/**
 * Seals for the holder of the secret of `recipient`; `info` and `aad` bind the message to where it
 * belongs. `ephemeralSecret` is 32 random bytes that are used for nothing else.
 * @throws {RangeError} when every shared secret with `recipient` would be zero.
 */
export function sealTo(
  recipient: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plain: Uint8Array,
  ephemeralSecret: Uint8Array,
): HpkeMessage {
  assert(recipient.length === X25519_KEY_BYTES, 'a public key of X25519 has 32 bytes');
  const enc = nobleCurves().x25519.getPublicKey(ephemeralSecret);
  const common = diffieHellman(ephemeralSecret, recipient);
  if (common === undefined) throw outOfRange('public key', 'a point of large order', 'another');
  return withKey(common, enc, recipient, info, (key, nonce) => {
    const { bytes, tag } = chaCha.seal(key, nonce, aad, plain);
    return { enc, sealed: Buffer.concat([bytes, tag]) };
  });
}

/** The plain bytes; undefined when it was sealed for another key, info or aad, or was changed. */
export function openWith(
  secret: Uint8Array,
  enc: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (enc.length !== X25519_KEY_BYTES || sealed.length < TAG_BYTES) return undefined;
  const common = diffieHellman(secret, enc);
  if (common === undefined) return undefined;
  const end = sealed.length - TAG_BYTES;
  return withKey(common, enc, nobleCurves().x25519.getPublicKey(secret), info, (key, nonce) =>
    chaCha.open(key, nonce, aad, sealed.subarray(0, end), sealed.subarray(end)),
  );
}

/** Undefined when it is zero: then the public key is of small order, and means nothing. */
function diffieHellman(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  assert(secret.length === X25519_KEY_BYTES, 'a secret of X25519 has 32 bytes');
  try {
    return nobleCurves().x25519.getSharedSecret(secret, publicKey);
  } catch {
    return undefined; // with both lengths right, that is all it can mean
  }
}

/** Runs `use` with key and nonce of a message, and zeroes whatever is secret. */
function withKey<T>(
  common: Uint8Array,
  enc: Uint8Array,
  recipient: Uint8Array,
  info: Uint8Array,
  use: (key: Uint8Array, nonce: Uint8Array) => T,
): T {
  const shared = sharedSecret(common, Buffer.concat([enc, recipient]));
  const secret = labeledExtract(HPKE_SUITE, shared, 'secret', EMPTY);
  const context = Buffer.concat([
    MODE_BASE,
    labeledExtract(HPKE_SUITE, EMPTY, 'psk_id_hash', EMPTY),
    labeledExtract(HPKE_SUITE, EMPTY, 'info_hash', info),
  ]);
  const key = labeledExpand(HPKE_SUITE, secret, 'key', context, CHACHA_KEY_BYTES);
  const nonce = labeledExpand(HPKE_SUITE, secret, 'base_nonce', context, CHACHA_NONCE_BYTES);
  try {
    return use(key, nonce);
  } finally {
    for (const bytes of [common, shared, secret, key]) bytes.fill(0);
  }
}

/** `ExtractAndExpand` */
function sharedSecret(common: Uint8Array, kemContext: Uint8Array): Uint8Array {
  const key = labeledExtract(KEM_SUITE, EMPTY, 'eae_prk', common);
  const shared = labeledExpand(KEM_SUITE, key, 'shared_secret', kemContext, SHARED_SECRET_BYTES);
  key.fill(0);
  return shared;
}

/** `LabeledExtract` */
function labeledExtract(
  suite: Uint8Array,
  salt: Uint8Array,
  label: string,
  input: Uint8Array,
): Uint8Array {
  const labeled = Buffer.concat([VERSION, suite, Buffer.from(label), input]);
  const { extract, sha256 } = nobleHashes();
  const key = extract(sha256, labeled, salt);
  labeled.fill(0);
  return key;
}

/** `LabeledExpand` */
function labeledExpand(
  suite: Uint8Array,
  key: Uint8Array,
  label: string,
  info: Uint8Array,
  lengthBytes: number,
): Uint8Array {
  const length = Uint8Array.of(lengthBytes >>> 8, lengthBytes & 0xff);
  const labeled = Buffer.concat([length, VERSION, suite, Buffer.from(label), info]);
  const { expand, sha256 } = nobleHashes();
  return expand(sha256, key, labeled, lengthBytes);
}
