/**
 * The cipher of the pages: byte by byte what @noble/ciphers makes, the published vectors, and that
 * nothing opens of which a bit was changed. By the runtime's cipher and by the one in its stead.
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nobleChaCha, runtimeChaCha } from '../../dist/shared/bytes/chacha.js';
import { XChaCha } from '../../dist/shared/bytes/xchacha.js';
import { announce, ENCRYPTION_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';
import { hex, inSharedMemory, noiseOf, noiseUpTo, toHex, withBitFlipped } from './noise.js';

const TAG_BYTES = 16;
const EMPTY = new Uint8Array();

interface Message {
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
  readonly plain: Uint8Array;
  readonly isShared: boolean;
}

/** Some of the nonces share their prefix, as those of a commit do. */
const nonce = fc
  .record({ prefix: fc.nat({ max: 3 }), rest: noiseOf(8) })
  .map(({ prefix, rest }) => new Uint8Array([...new Array(16).fill(prefix * 17), ...rest]));

const messageOf = (lengthMax: number): fc.Arbitrary<Message> =>
  fc.record({
    nonce: fc.oneof(nonce, noiseOf(24)),
    aad: noiseUpTo(Math.min(100, lengthMax)),
    plain: noiseUpTo(lengthMax),
    isShared: fc.boolean(),
  });

/** As it is given to the cipher. */
const placed = (message: Message, bytes: Uint8Array): Uint8Array =>
  message.isShared ? inSharedMemory(bytes) : bytes;

function expectAsNoble(cipher: XChaCha, key: Uint8Array, message: Message): void {
  const [nonce, aad, plain] = [message.nonce, message.aad, message.plain].map((bytes) =>
    placed(message, bytes),
  ) as [Uint8Array, Uint8Array, Uint8Array];
  const { bytes, tag } = cipher.seal(nonce, aad, plain);
  const both = xchacha20poly1305(key, message.nonce, message.aad).encrypt(message.plain);
  const end = both.length - TAG_BYTES;
  expect(bytes.equals(both.subarray(0, end)), 'the sealed bytes').toBe(true);
  expect(tag.equals(both.subarray(end)), 'the tag').toBe(true);
  const opened = cipher.open(nonce, aad, placed(message, bytes), placed(message, tag));
  expect(opened?.equals(message.plain), 'the opened bytes').toBe(true);
}

describe.each([
  ['node:crypto', runtimeChaCha],
  ['@noble/ciphers', nobleChaCha],
])('with the ChaCha20-Poly1305 of %s', (name, chaCha) => {
  test(
    'everything is sealed and opened as @noble/ciphers does it',
    () => {
      announce(`sealing with ${name}`, ENCRYPTION_COUNTS.keys);
      const { keys, messagesMax, lengthMax } = ENCRYPTION_COUNTS;
      const messages = fc.array(messageOf(lengthMax), { minLength: 1, maxLength: messagesMax });
      fc.assert(
        fc.property(noiseOf(32), messages, (key, all) => {
          const cipher = new XChaCha(key, chaCha);
          for (const message of all) expectAsNoble(cipher, key, message);
        }),
        { numRuns: keys, seed: SEED },
      );
    },
    PROPERTY_TIMEOUT_MS,
  );

  test(
    'nothing opens with a bit of nonce, aad, bytes or tag flipped, or under another key',
    () => {
      announce(`flipping bits with ${name}`, ENCRYPTION_COUNTS.flipped);
      fc.assert(
        fc.property(noiseOf(32), messageOf(40), (key, { nonce, aad, plain }) => {
          const cipher = new XChaCha(key, chaCha);
          const { bytes, tag } = cipher.seal(nonce, aad, plain);
          for (const other of withBitFlipped(nonce))
            expect(cipher.open(other, aad, bytes, tag)).toBeUndefined();
          for (const other of withBitFlipped(aad))
            expect(cipher.open(nonce, other, bytes, tag)).toBeUndefined();
          for (const other of withBitFlipped(bytes))
            expect(cipher.open(nonce, aad, other, tag)).toBeUndefined();
          for (const other of withBitFlipped(tag))
            expect(cipher.open(nonce, aad, bytes, other)).toBeUndefined();
          for (const other of withBitFlipped(key))
            expect(new XChaCha(other, chaCha).open(nonce, aad, bytes, tag)).toBeUndefined();
          expect(cipher.open(nonce, aad, bytes, tag)?.equals(plain)).toBe(true);
        }),
        { numRuns: ENCRYPTION_COUNTS.flipped, seed: SEED },
      );
    },
    PROPERTY_TIMEOUT_MS,
  );

  test('the vector of draft-irtf-cfrg-xchacha-03, A.3.1', () => {
    const key = hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f');
    const nonce = hex('404142434445464748494a4b4c4d4e4f5051525354555657');
    const aad = hex('50515253c0c1c2c3c4c5c6c7');
    const plain = Buffer.from(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the " +
        'future, sunscreen would be it.',
    );
    const cipher = new XChaCha(key, chaCha);
    const { bytes, tag } = cipher.seal(nonce, aad, plain);
    expect(toHex(bytes)).toBe(
      'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb' +
        '731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452' +
        '2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9' +
        '21f9664c97637da9768812f615c68b13b52e',
    );
    expect(toHex(tag)).toBe('c0875924c1c7987947deafd8780acf49');
    expect(cipher.open(nonce, aad, bytes, tag)?.equals(plain)).toBe(true);
  });

  test('the subkey is that of the vector for HChaCha20, 2.2.1 of the draft', () => {
    const key = hex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
    const prefix = hex('000000090000004a0000000031415927');
    const subkey = hex('82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc');
    const rest = hex('0102030405060708');
    const nonce = Buffer.concat([prefix, rest]);
    const plain = hex('00112233');
    const expected = chaCha.seal(subkey, Buffer.concat([hex('00000000'), rest]), EMPTY, plain);
    expect(new XChaCha(key, chaCha).seal(nonce, EMPTY, plain)).toStrictEqual(expected);
  });

  test('the key is the cipher’s own, and gone once it is cleared', () => {
    const key = hex('80'.repeat(32));
    const nonce = hex('40'.repeat(24));
    const plain = hex('00112233');
    const sealed = new XChaCha(key, chaCha).seal(nonce, EMPTY, plain);
    const cipher = new XChaCha(key, chaCha);
    key.fill(0);
    expect(cipher.seal(nonce, EMPTY, plain)).toStrictEqual(sealed);
    cipher.clear();
    cipher.clear();
    expect(() => cipher.seal(nonce, EMPTY, plain)).toThrow('bug');
    expect(() => cipher.open(nonce, EMPTY, sealed.bytes, sealed.tag)).toThrow('bug');
  });

  test('a key, nonce or tag of another length is our mistake', () => {
    const [key, nonce, tag] = [new Uint8Array(32), new Uint8Array(24), new Uint8Array(16)];
    const cipher = new XChaCha(key, chaCha);
    for (const length of [0, 12, 16, 31, 33]) {
      const other = new Uint8Array(length);
      expect(() => new XChaCha(other, chaCha)).toThrow('bug');
      expect(() => cipher.seal(other, EMPTY, EMPTY)).toThrow('bug');
      expect(() => cipher.open(other, EMPTY, EMPTY, tag)).toThrow('bug');
      if (length !== tag.length)
        expect(() => cipher.open(nonce, EMPTY, EMPTY, other)).toThrow('bug');
    }
  });
});
