/**
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): ChaCha20-Poly1305 with a nonce of 24 bytes,
 * long enough to be chosen at random.
 *
 *   offset  size  part of the nonce
 *        0    16  prefix    HChaCha20 makes a subkey of it and of the key
 *       16     8  rest      behind four zeros, the nonce of ChaCha20-Poly1305 under the subkey
 *
 * All pages of a commit share a prefix; so the last subkey is kept. More of them would not pay: to
 * look one up in a map takes half as long as to make it (0.15 µs and 0.28 µs, of 5 µs a page).
 */
import { assert } from '../assert.js';
import {
  CHACHA_KEY_BYTES,
  CHACHA_NONCE_BYTES,
  type ChaCha,
  chaCha,
  type Sealed,
} from './chacha.js';
import { startsWith } from './compare.js';
import { nobleCiphers } from './noble.js';

export const XCHACHA_NONCE_BYTES = 24;
const PREFIX_BYTES = 16;
const REST_OFFSET = 4;

/** "expand 32-byte k", as little-endian words. */
const SIGMA = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);

/** Words for HChaCha20, and the same memory as bytes. */
class Words {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;

  constructor(lengthBytes: number) {
    this.words = new Uint32Array(lengthBytes / 4);
    this.bytes = new Uint8Array(this.words.buffer);
  }
}

/**
 * Seals and opens under one key. One nonce must never seal twice.
 * Invariant until cleared: `#subkey` is that of `#prefix`.
 */
export class XChaCha {
  readonly #chaCha: ChaCha;
  readonly #key = new Words(CHACHA_KEY_BYTES);
  readonly #subkey = new Words(CHACHA_KEY_BYTES);
  readonly #prefix = new Words(PREFIX_BYTES);
  readonly #shortNonce = new Uint8Array(CHACHA_NONCE_BYTES);
  #isCleared = false;

  /** Copies the key of 32 bytes; the caller may zero its own. */
  constructor(key: Uint8Array, cipher: ChaCha = chaCha) {
    assert(key.length === CHACHA_KEY_BYTES, 'a key of XChaCha20 has 32 bytes');
    this.#chaCha = cipher;
    this.#key.bytes.set(key);
    this.#deriveSubkey();
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Sealed {
    this.#useNonce(nonce);
    return this.#chaCha.seal(this.#subkey.bytes, this.#shortNonce, aad, plain);
  }

  /** The plain bytes; undefined when the tag does not prove bytes, nonce and `aad`. */
  open(nonce: Uint8Array, aad: Uint8Array, bytes: Uint8Array, tag: Uint8Array): Buffer | undefined {
    this.#useNonce(nonce);
    return this.#chaCha.open(this.#subkey.bytes, this.#shortNonce, aad, bytes, tag);
  }

  /** Zeroes key and subkey; nothing can be sealed or opened from here on. */
  clear(): void {
    this.#isCleared = true;
    this.#key.bytes.fill(0);
    this.#subkey.bytes.fill(0);
  }

  #useNonce(nonce: Uint8Array): void {
    assert(!this.#isCleared, 'the key is still there');
    assert(nonce.length === XCHACHA_NONCE_BYTES, 'a nonce of XChaCha20 has 24 bytes');
    if (!startsWith(nonce, this.#prefix.bytes)) {
      this.#prefix.bytes.set(nonce.subarray(0, PREFIX_BYTES));
      this.#deriveSubkey();
    }
    this.#shortNonce.set(nonce.subarray(PREFIX_BYTES), REST_OFFSET);
  }

  #deriveSubkey(): void {
    nobleCiphers().hchacha(SIGMA, this.#key.words, this.#prefix.words, this.#subkey.words);
  }
}
