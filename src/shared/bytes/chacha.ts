/**
 * ChaCha20-Poly1305 (RFC 8439): the cipher under the pages and under the wrapped keys.
 *
 * The runtime's is used, since it takes an eighth of the time; builds of Node whose OpenSSL lacks
 * the cipher fall back to @noble/ciphers. Both give the same bytes. Every argument may be a view of
 * shared memory.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { assert } from '../assert.js';
import { nobleCiphers } from './noble.js';

export const CHACHA_KEY_BYTES = 32;
export const CHACHA_NONCE_BYTES = 12;
export const TAG_BYTES = 16;

const NAME = 'chacha20-poly1305';
const TAG_OPTION = { authTagLength: TAG_BYTES };

/** What sealing gives: as many bytes as there were, and the tag that proves them. */
export interface Sealed {
  readonly bytes: Buffer;
  readonly tag: Buffer;
}

/** One nonce must never seal twice under the same key. */
export interface ChaCha {
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Sealed;
  /** The plain bytes; undefined when the tag does not prove bytes, nonce and `aad`. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    bytes: Uint8Array,
    tag: Uint8Array,
  ): Buffer | undefined;
}

function checkLengths(key: Uint8Array, nonce: Uint8Array): void {
  assert(key.length === CHACHA_KEY_BYTES, 'a key of ChaCha20 has 32 bytes');
  assert(nonce.length === CHACHA_NONCE_BYTES, 'a nonce of ChaCha20 has 12 bytes');
}

/** By node:crypto. */
export const runtimeChaCha: ChaCha = {
  seal(key, nonce, aad, plain) {
    checkLengths(key, nonce);
    const cipher = createCipheriv(NAME, key, nonce, TAG_OPTION);
    cipher.setAAD(aad, { plaintextLength: plain.length });
    const bytes = cipher.update(plain);
    cipher.final();
    return { bytes, tag: cipher.getAuthTag() };
  },

  open(key, nonce, aad, bytes, tag) {
    checkLengths(key, nonce);
    assert(tag.length === TAG_BYTES, 'a tag has 16 bytes'); // a shorter one proves less
    const decipher = createDecipheriv(NAME, key, nonce, TAG_OPTION);
    decipher.setAAD(aad, { plaintextLength: bytes.length });
    decipher.setAuthTag(tag);
    const plain = decipher.update(bytes);
    try {
      decipher.final();
      return plain;
    } catch {
      plain.fill(0); // nothing was proven of it
      return undefined;
    }
  },
};

/** By @noble/ciphers. */
export const nobleChaCha: ChaCha = {
  seal(key, nonce, aad, plain) {
    checkLengths(key, nonce);
    const both = bufferOf(nobleCiphers().chacha20poly1305(key, nonce, aad).encrypt(plain));
    return { bytes: both.subarray(0, plain.length), tag: both.subarray(plain.length) };
  },

  open(key, nonce, aad, bytes, tag) {
    checkLengths(key, nonce);
    assert(tag.length === TAG_BYTES, 'a tag has 16 bytes');
    const cipher = nobleCiphers().chacha20poly1305(key, nonce, aad);
    try {
      return bufferOf(cipher.decrypt(Buffer.concat([bytes, tag])));
    } catch {
      return undefined; // with every length right, only the tag can be wrong
    }
  },
};

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function runtimeHasChaCha(): boolean {
  try {
    createCipheriv(
      NAME,
      new Uint8Array(CHACHA_KEY_BYTES),
      new Uint8Array(CHACHA_NONCE_BYTES),
      TAG_OPTION,
    );
    return true;
  } catch {
    return false;
  }
}

/** The faster one of those that work here. */
export const chaCha: ChaCha = runtimeHasChaCha() ? runtimeChaCha : nobleChaCha;
