/**
 * Wrapped keys: whoever a message was sealed for opens it, and nobody opens it otherwise: with
 * another secret, for another purpose, or when a bit of it was changed.
 */
import fc from 'fast-check';
import { publicKeyFromSeed } from 'mneme/crypto';
import { expect, test } from 'vitest';
import { openWith, sealTo } from '../../dist/shared/bytes/hpke.js';
import { toX25519PublicKey, toX25519Secret } from '../../dist/shared/bytes/identity-keys.js';
import { announce, ENCRYPTION_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';
import { noiseOf, noiseUpTo, toHex, withBitFlipped } from './noise.js';

const message = fc.record({
  seed: noiseOf(32),
  ephemeral: noiseOf(32),
  info: noiseUpTo(200),
  aad: noiseUpTo(200),
  plain: noiseUpTo(2000),
});
type Message = typeof message extends fc.Arbitrary<infer T> ? T : never;

function seal({ seed, ephemeral, info, aad, plain }: Message) {
  const recipient = toX25519PublicKey(publicKeyFromSeed(seed));
  return sealTo(recipient, info, aad, plain, ephemeral);
}

test(
  'a message opens for its recipient and purpose only',
  () => {
    announce('wrapped keys', ENCRYPTION_COUNTS.wrapped);
    fc.assert(
      fc.property(message, noiseOf(32), (given, otherSeed) => {
        const { seed, info, aad, plain } = given;
        fc.pre(toHex(seed) !== toHex(otherSeed));
        const { enc, sealed } = seal(given);
        expect(sealed).toHaveLength(plain.length + 16);
        const secret = toX25519Secret(seed);
        expect(openWith(secret, enc, info, aad, sealed)).toStrictEqual(Buffer.from(plain));
        const others = [
          openWith(toX25519Secret(otherSeed), enc, info, aad, sealed),
          openWith(secret, enc, aad, info, sealed),
          openWith(secret, enc, Buffer.concat([info, aad]), new Uint8Array(), sealed),
          openWith(secret, enc, new Uint8Array(), Buffer.concat([info, aad]), sealed),
        ];
        // Two are the same as what was meant when info or aad is empty.
        expect(others[0]).toBeUndefined();
        if (toHex(info) !== toHex(aad)) expect(others[1]).toBeUndefined();
        if (aad.length > 0) expect(others[2]).toBeUndefined();
        if (info.length > 0) expect(others[3]).toBeUndefined();
      }),
      { numRuns: ENCRYPTION_COUNTS.wrapped, seed: SEED },
    );
  },
  PROPERTY_TIMEOUT_MS,
);

test(
  'nothing opens with a bit of it flipped',
  () => {
    announce('wrapped keys with bits flipped', ENCRYPTION_COUNTS.wrappedAndFlipped);
    const small = message.map((given) => ({
      ...given,
      info: given.info.subarray(0, 8),
      aad: given.aad.subarray(0, 8),
      plain: given.plain.subarray(0, 32),
    }));
    fc.assert(
      fc.property(small, (given) => {
        const { info, aad } = given;
        const { enc, sealed } = seal(given);
        const secret = toX25519Secret(given.seed);
        for (const other of withBitFlipped(enc))
          expect(openWith(secret, other, info, aad, sealed)).toBeUndefined();
        for (const other of withBitFlipped(sealed))
          expect(openWith(secret, enc, info, aad, other)).toBeUndefined();
        for (const other of withBitFlipped(info))
          expect(openWith(secret, enc, other, aad, sealed)).toBeUndefined();
        for (const other of withBitFlipped(aad))
          expect(openWith(secret, enc, info, other, sealed)).toBeUndefined();
      }),
      { numRuns: ENCRYPTION_COUNTS.wrappedAndFlipped, seed: SEED },
    );
  },
  PROPERTY_TIMEOUT_MS,
);
