/**
 * XChaCha20-Poly1305, draft-irtf-cfrg-xchacha-03: HChaCha20 makes a subkey of the key and the
 * nonce's first 16 bytes, and ChaCha20-Poly1305 (RFC 8439) does the rest.
 *
 * The subkeys of nonces that begin alike are kept, and the runtime's own cipher works with them, so
 * that pages sealed together cost one HChaCha20. Where the runtime lacks the cipher, the plain
 * implementation of @noble/ciphers does all of it; the bytes are the same.
 */

import { createCipheriv, createDecipheriv, getCiphers } from 'node:crypto';
import { nobleCiphers } from './noble.js';

const CIPHER = 'chacha20-poly1305';
const PREFIX_BYTES = 16;
const TAG_BYTES = 16;
/** Zeros, then the last eight bytes of the nonce. */
const INNER_NONCE_BYTES = 12;
const SUBKEYS_MAX = 64;
/** "expand 32-byte k", as little-endian words. */
const SIGMA = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);
const hasCipher = getCiphers().includes(CIPHER);

export interface SealedBytes {
  /** As many as there were plain ones. */
  readonly bytes: Uint8Array;
  /** 16 bytes. */
  readonly tag: Uint8Array;
}

function words(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, at) => view.getUint32(4 * at, true));
}

/** One key of 32 bytes, until `clear`. */
export class XChaCha {
  readonly #key: Uint32Array;
  /** By the nonces' first 16 bytes, least recently used first. */
  readonly #subkeys = new Map<string, Uint8Array>();
  readonly #inner = Buffer.alloc(INNER_NONCE_BYTES);

  constructor(key: Uint8Array) {
    this.#key = words(key);
  }

  /** @param nonce - 24 bytes that are never used again with this key. */
  seal(nonce: Uint8Array, bound: Uint8Array, plain: Uint8Array): SealedBytes {
    const key = this.#subkey(nonce);
    this.#inner.set(nonce.subarray(PREFIX_BYTES), 4);
    if (!hasCipher) return sealPlainly(key, this.#inner, bound, plain);
    const cipher = createCipheriv(CIPHER, key, this.#inner, { authTagLength: TAG_BYTES });
    cipher.setAAD(bound, { plaintextLength: plain.length });
    const bytes = cipher.update(plain);
    cipher.final();
    return { bytes, tag: cipher.getAuthTag() };
  }

  /** Undefined when these are not the bytes that were sealed, with this key, nonce and bound. */
  open(
    nonce: Uint8Array,
    bound: Uint8Array,
    sealed: Uint8Array,
    tag: Uint8Array,
  ): Uint8Array | undefined {
    const key = this.#subkey(nonce);
    this.#inner.set(nonce.subarray(PREFIX_BYTES), 4);
    if (!hasCipher) return openPlainly(key, this.#inner, bound, sealed, tag);
    const decipher = createDecipheriv(CIPHER, key, this.#inner, { authTagLength: TAG_BYTES });
    decipher.setAAD(bound, { plaintextLength: sealed.length });
    decipher.setAuthTag(tag);
    const plain = decipher.update(sealed);
    try {
      decipher.final();
      return plain;
    } catch {
      plain.fill(0); // what does not verify is nobody's to see
      return undefined;
    }
  }

  #subkey(nonce: Uint8Array): Uint8Array {
    const prefix = Buffer.from(nonce.buffer, nonce.byteOffset, PREFIX_BYTES);
    const name = prefix.toString('latin1');
    const subkeys = this.#subkeys;
    const known = subkeys.get(name);
    if (known !== undefined) return known;
    const out = new Uint32Array(8);
    nobleCiphers().hchacha(SIGMA, this.#key, words(prefix), out);
    const subkey = Buffer.alloc(32);
    out.forEach((word, at) => {
      subkey.writeUInt32LE(word, 4 * at);
    });
    out.fill(0);
    for (const [oldest, key] of subkeys) {
      if (subkeys.size < SUBKEYS_MAX) break;
      key.fill(0);
      subkeys.delete(oldest);
    }
    subkeys.set(name, subkey);
    return subkey;
  }

  /** Overwrites all that is known of the key; it cannot be used any more. */
  clear(): void {
    this.#key.fill(0);
    for (const subkey of this.#subkeys.values()) subkey.fill(0);
    this.#subkeys.clear();
  }
}

function sealPlainly(
  key: Uint8Array,
  nonce: Uint8Array,
  bound: Uint8Array,
  plain: Uint8Array,
): SealedBytes {
  const sealed = nobleCiphers().chacha20poly1305(key, nonce, bound).encrypt(plain.slice());
  return { bytes: sealed.subarray(0, plain.length), tag: sealed.subarray(plain.length) };
}

function openPlainly(
  key: Uint8Array,
  nonce: Uint8Array,
  bound: Uint8Array,
  sealed: Uint8Array,
  tag: Uint8Array,
): Uint8Array | undefined {
  try {
    return nobleCiphers()
      .chacha20poly1305(key, nonce, bound)
      .decrypt(Buffer.concat([sealed, tag]));
  } catch {
    return undefined; // the tag does not verify
  }
}
