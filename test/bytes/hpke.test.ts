/**
 * Hybrid public key encryption: the published vector of RFC 9180 A.2.1, and what must not open.
 */
import { x25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { openWith, sealTo } from '../../dist/shared/bytes/hpke.js';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** RFC 9180, A.2.1 and A.2.1.1 with sequence number 0. */
const VECTOR = {
  info: hex('4f6465206f6e2061204772656369616e2055726e'),
  ephemeralSecret: hex('f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600'),
  recipient: hex('4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a'),
  recipientSecret: hex('8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb'),
  enc: hex('1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a'),
  plain: hex('4265617574792069732074727574682c20747275746820626561757479'),
  aad: hex('436f756e742d30'),
  sealed: hex(
    '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28',
  ),
};

/** Every coordinate below 2^255 that X25519 takes for a point of small order. */
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000', // 0
  '0100000000000000000000000000000000000000000000000000000000000000', // 1
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', // of order 8
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157', // of order 8
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // p - 1
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // p, again 0
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // p + 1, again 1
].map(hex);

/** RFC 7748 has the highest bit ignored. */
function withHighestBit(point: Uint8Array): Uint8Array {
  const other = point.slice();
  other[31] = (other[31] as number) | 0x80;
  return other;
}

const { info, aad, plain, sealed, enc, recipient, recipientSecret, ephemeralSecret } = VECTOR;

describe('the vector of RFC 9180 A.2.1', () => {
  test('is sealed byte by byte', () => {
    const message = sealTo(recipient, info, aad, plain, ephemeralSecret);
    expect(toHex(message.enc)).toBe(toHex(enc));
    expect(toHex(message.sealed)).toBe(toHex(sealed));
  });

  test('is opened', () => {
    const opened = openWith(recipientSecret, enc, info, aad, sealed);
    expect(toHex(opened ?? hex(''))).toBe(toHex(plain));
  });

  test('leaves what it was given as it was', () => {
    const given = [recipient, info, aad, plain, ephemeralSecret, recipientSecret, enc, sealed];
    const before = given.map(toHex);
    sealTo(recipient, info, aad, plain, ephemeralSecret);
    openWith(recipientSecret, enc, info, aad, sealed);
    expect(given.map(toHex)).toEqual(before);
  });
});

test.each(
  [...SMALL_ORDER, ...SMALL_ORDER.map(withHighestBit)].map(
    (point) => [toHex(point), point] as const,
  ),
)('nothing is sealed for or by the point of small order %s', (_, point) => {
  expect(() => sealTo(point, info, aad, plain, ephemeralSecret)).toThrow(RangeError);
  expect(openWith(recipientSecret, point, info, aad, sealed)).toBeUndefined();
});

test('a message that is cut short does not open', () => {
  for (let length = 0; length < sealed.length; length++) {
    const cut = sealed.subarray(0, length);
    expect(openWith(recipientSecret, enc, info, aad, cut)).toBeUndefined();
  }
  expect(openWith(recipientSecret, enc.subarray(1), info, aad, sealed)).toBeUndefined();
});

test('another recipient cannot open it', () => {
  const other = x25519.utils.randomSecretKey();
  expect(openWith(other, enc, info, aad, sealed)).toBeUndefined();
});
