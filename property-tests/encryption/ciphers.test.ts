/**
 * The cipher of pages against the plain implementation, and whatever was changed of what it sealed.
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { publicKeyFromSeed } from '../../dist/api/key-files.js';
import { openWith, sealTo } from '../../dist/shared/bytes/hpke.js';
import { toX25519PublicKey, toX25519Secret } from '../../dist/shared/bytes/identity-keys.js';
import { XChaCha } from '../../dist/shared/bytes/xchacha.js';
import { announce, ENCRYPTION_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';

const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const LENGTHS = [0, 1, 63, 64, 65, 4047, 4048, 4096, 16_336, 65_488, 70_000];
const plain = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(...LENGTHS).map((length) => new Uint8Array(length).fill(length)),
);

/** The same bytes in shared memory, at an odd place. */
function shared(bytes: Uint8Array): Uint8Array {
  const view = new Uint8Array(new SharedArrayBuffer(bytes.length + 7)).subarray(3);
  view.set(bytes);
  return view.subarray(0, bytes.length);
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = (bit >>> 3) % copy.length;
  copy[at] = (copy[at] as number) ^ (1 << (bit & 7));
  return copy;
}

test('pages are sealed as by @noble/ciphers, to the last byte', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  announce('sealed bytes', ENCRYPTION_COUNTS.seals);
  const nonces = fc.array(exactly(24), { minLength: 1, maxLength: 4 });
  const property = fc.property(
    exactly(32),
    nonces,
    plain,
    fc.uint8Array(),
    (key, all, text, bound) => {
      const cipher = new XChaCha(key);
      for (const nonce of all) {
        const { bytes, tag } = cipher.seal(nonce, bound, shared(text));
        const expected = xchacha20poly1305(key, nonce, bound).encrypt(text);
        expect(Buffer.compare(Buffer.concat([bytes, tag]), expected)).toBe(0);
        const opened = cipher.open(nonce, bound, shared(bytes), tag);
        expect(Buffer.compare(opened ?? Buffer.of(1), text)).toBe(0);
      }
      cipher.clear();
    },
  );
  fc.assert(property, { seed: SEED, numRuns: ENCRYPTION_COUNTS.seals });
});

test('nothing that was changed opens', { timeout: PROPERTY_TIMEOUT_MS }, () => {
  announce('changed bits', ENCRYPTION_COUNTS.flips);
  const bits = fc.nat(2 ** 30);
  const text = fc.uint8Array({ minLength: 1, maxLength: 5000 });
  const bound = fc.uint8Array({ minLength: 1, maxLength: 40 });
  const property = fc.property(
    exactly(32),
    exactly(24),
    text,
    bound,
    bits,
    (key, nonce, it, ad, bit) => {
      const cipher = new XChaCha(key);
      const { bytes, tag } = cipher.seal(nonce, ad, it);
      expect(cipher.open(flipped(nonce, bit), ad, bytes, tag)).toBeUndefined();
      expect(cipher.open(nonce, flipped(ad, bit), bytes, tag)).toBeUndefined();
      expect(cipher.open(nonce, ad, flipped(bytes, bit), tag)).toBeUndefined();
      expect(cipher.open(nonce, ad, bytes, flipped(tag, bit))).toBeUndefined();
      expect(cipher.open(nonce, ad, bytes.subarray(1), tag)).toBeUndefined();
      expect(new XChaCha(flipped(key, bit)).open(nonce, ad, bytes, tag)).toBeUndefined();
    },
  );
  fc.assert(property, { seed: SEED, numRuns: ENCRYPTION_COUNTS.flips });
});

test('a wrapped key opens for its recipient alone, as it was', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  announce('wrapped keys', ENCRYPTION_COUNTS.wraps);
  const [secret, bytes, bits] = [
    exactly(32),
    fc.uint8Array({ minLength: 1, maxLength: 99 }),
    fc.nat(),
  ];
  const property = fc.property(
    secret,
    secret,
    bytes,
    bytes,
    bits,
    (seed, ephemeral, info, text, bit) => {
      const recipient = toX25519PublicKey(publicKeyFromSeed(seed));
      const own = toX25519Secret(seed);
      const { enc, sealed } = sealTo(recipient, info, text, text, ephemeral);
      expect(openWith(own, enc, info, text, sealed)).toEqual(text);
      expect(openWith(toX25519Secret(flipped(seed, bit)), enc, info, text, sealed)).toBeUndefined();
      expect(openWith(own, enc, flipped(info, bit), text, sealed)).toBeUndefined();
      expect(openWith(own, enc, info, flipped(text, bit), sealed)).toBeUndefined();
      expect(openWith(own, enc, info, text, flipped(sealed, bit))).toBeUndefined();
      expect(openWith(own, new Uint8Array(32), info, text, sealed)).toBeUndefined();
    },
  );
  fc.assert(property, { seed: SEED, numRuns: ENCRYPTION_COUNTS.wraps });
});
