/**
 * HPKE in base mode, one message: RFC 9180 with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
 * ChaCha20-Poly1305. Names are those of the RFC.
 */
import { nobleCiphers, nobleCurves, nobleHashes } from './noble.js';

const KEM_SUITE = Uint8Array.from([...Buffer.from('KEM'), 0x00, 0x20]);
const HPKE_SUITE = Uint8Array.from([...Buffer.from('HPKE'), 0, 0x20, 0, 0x01, 0, 0x03]);
const VERSION = 'HPKE-v1';
const SECRET_BYTES = 32;
const NONCE_BYTES = 12;
const MODE_BASE = 0;
const NOTHING = new Uint8Array(0);

function labeledExtract(
  suite: Uint8Array,
  salt: Uint8Array,
  label: string,
  ikm: Uint8Array,
): Uint8Array {
  const labeled = Buffer.concat([Buffer.from(VERSION), suite, Buffer.from(label), ikm]);
  const { extract, sha256 } = nobleHashes();
  return extract(sha256, labeled, salt);
}

function labeledExpand(
  suite: Uint8Array,
  prk: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const head = Uint8Array.of(length >>> 8, length & 255);
  const parts = [head, Buffer.from(VERSION), suite, Buffer.from(label), info];
  const { expand, sha256 } = nobleHashes();
  return expand(sha256, prk, Buffer.concat(parts), length);
}

function sharedSecret(dh: Uint8Array, enc: Uint8Array, recipient: Uint8Array): Uint8Array {
  const prk = labeledExtract(KEM_SUITE, NOTHING, 'eae_prk', dh);
  const context = Buffer.concat([enc, recipient]);
  return labeledExpand(KEM_SUITE, prk, 'shared_secret', context, SECRET_BYTES);
}

function keySchedule(secret: Uint8Array, info: Uint8Array) {
  const idHash = labeledExtract(HPKE_SUITE, NOTHING, 'psk_id_hash', NOTHING);
  const infoHash = labeledExtract(HPKE_SUITE, NOTHING, 'info_hash', info);
  const context = Buffer.concat([Uint8Array.of(MODE_BASE), idHash, infoHash]);
  const prk = labeledExtract(HPKE_SUITE, secret, 'secret', NOTHING);
  const key = labeledExpand(HPKE_SUITE, prk, 'key', context, SECRET_BYTES);
  const nonce = labeledExpand(HPKE_SUITE, prk, 'base_nonce', context, NONCE_BYTES);
  return { key, nonce };
}

/**
 * Seals a message to a recipient.
 * @param recipient - X25519 public key, 32 bytes.
 * @param ephemeral - 32 random bytes, never used again.
 * @throws {Error} for a public key with which there is no secret.
 */
export function sealTo(
  recipient: Uint8Array,
  info: Uint8Array,
  bound: Uint8Array,
  plain: Uint8Array,
  ephemeral: Uint8Array,
): { enc: Uint8Array; sealed: Uint8Array } {
  const { x25519 } = nobleCurves();
  const enc = x25519.getPublicKey(ephemeral);
  const dh = x25519.getSharedSecret(ephemeral, recipient);
  const { key, nonce } = keySchedule(sharedSecret(dh, enc, recipient), info);
  return { enc, sealed: nobleCiphers().chacha20poly1305(key, nonce, bound).encrypt(plain) };
}

/**
 * Opens what was sealed to the owner of an X25519 secret; undefined when it was not, or not with
 * this info and bound, or was changed.
 */
export function openWith(
  secret: Uint8Array,
  enc: Uint8Array,
  info: Uint8Array,
  bound: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const { x25519 } = nobleCurves();
  try {
    const dh = x25519.getSharedSecret(secret, enc); // refuses small-order points
    const recipient = x25519.getPublicKey(secret);
    const { key, nonce } = keySchedule(sharedSecret(dh, enc, recipient), info);
    return nobleCiphers().chacha20poly1305(key, nonce, bound).decrypt(sealed);
  } catch {
    return undefined; // no secret, or a tag that does not verify
  }
}
