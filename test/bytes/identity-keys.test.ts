/**
 * Ed25519 keys as keys of X25519: which bytes are a public key, and that both halves agree.
 */
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { ED25519_TORSION_SUBGROUP, ed25519, x25519 } from '@noble/curves/ed25519.js';
import { generateKeyPair } from 'mneme/crypto';
import { expect, test } from 'vitest';
import { openWith, sealTo } from '../../dist/shared/bytes/hpke.js';
import {
  checkPublicKey,
  toX25519PublicKey,
  toX25519Secret,
} from '../../dist/shared/bytes/identity-keys.js';
import { thrownBy } from '../api/support.js';

const P = 2n ** 255n - 19n;
const SIGN = 2n ** 255n;
const PAIRS = 20;

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Little-endian, 32 bytes. */
function encode(number: bigint): Uint8Array {
  return hex(number.toString(16).padStart(64, '0')).reverse();
}

/** Without a digit of what was given. */
const CONSTANT_MESSAGE = /^public key must be an Ed25519 public key of 32 bytes, got [a-z ]+$/;

function expectRefusal(bytes: Uint8Array): void {
  for (const use of [checkPublicKey, toX25519PublicKey]) {
    const error = thrownBy(() => use(bytes));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
      message: expect.stringMatching(CONSTANT_MESSAGE),
    });
    expect(error).not.toHaveProperty('cause');
  }
}

test('a point of small order is no public key, in any encoding', () => {
  // RFC 8032 has one encoding of each; others reduce y modulo p, or give a zero a sign.
  const coordinates = new Set(
    ED25519_TORSION_SUBGROUP.map((text) => BigInt(`0x${toHex(hex(text).reverse())}`) % SIGN),
  );
  expect(coordinates.size).toBe(5); // 1, -1, 0 and two of order 8
  for (const y of coordinates) {
    const all = y + P < SIGN ? [y, y + P] : [y];
    for (const coordinate of all) {
      expectRefusal(encode(coordinate));
      expectRefusal(encode(coordinate + SIGN));
    }
  }
});

test('a point with a part of small order is no public key', () => {
  const torsion = ED25519_TORSION_SUBGROUP.map((text) => ed25519.Point.fromHex(text));
  for (let run = 0; run < PAIRS; run++) {
    const point = ed25519.Point.fromBytes(generateKeyPair().publicKey);
    for (const other of torsion) {
      const mixed = point.add(other);
      if (other.is0()) checkPublicKey(mixed.toBytes());
      else expectRefusal(mixed.toBytes());
    }
  }
});

test('a coordinate that is not below p is no public key', () => {
  // None of them is a point of the subgroup either, so that there are two reasons.
  for (let y = P; y < SIGN; y++) {
    expectRefusal(encode(y));
    expectRefusal(encode(y + SIGN));
  }
});

test('bytes that are no point, or not 32, are no public key', () => {
  let refused = 0;
  for (let y = 2n; y < 40n; y++) {
    if (ed25519.utils.isValidPublicKey(encode(y))) continue;
    expectRefusal(encode(y));
    refused += 1;
  }
  expect(refused).toBeGreaterThan(10);
  const { publicKey } = generateKeyPair();
  for (const length of [0, 1, 31]) expectRefusal(publicKey.subarray(0, length));
  expectRefusal(new Uint8Array([...publicKey, 0]));
});

/** X25519 secrets of RFC 8410 but for the key, so that the runtime can be asked. */
const PKCS8_HEAD = hex('302e020100300506032b656e04220420');
const SPKI_HEAD = hex('302a300506032b656e032100');

test('the secret and the public key of a seed belong together', () => {
  for (let run = 0; run < PAIRS; run++) {
    const { seed, publicKey } = generateKeyPair();
    const other = x25519.keygen();
    const secret = toX25519Secret(seed);
    const converted = toX25519PublicKey(publicKey);
    expect(toHex(x25519.getPublicKey(secret))).toBe(toHex(converted));
    const privateKey = createPrivateKey({
      key: Buffer.concat([PKCS8_HEAD, secret]),
      format: 'der',
      type: 'pkcs8',
    });
    const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    expect(toHex(spki)).toBe(toHex(SPKI_HEAD) + toHex(converted));
    const common = diffieHellman({
      privateKey,
      publicKey: createPublicKey({
        key: Buffer.concat([SPKI_HEAD, other.publicKey]),
        format: 'der',
        type: 'spki',
      }),
    });
    expect(toHex(common)).toBe(toHex(x25519.getSharedSecret(other.secretKey, converted)));
  }
});

test('what is sealed for a public key, its seed opens, and no other', () => {
  const { seed, publicKey } = generateKeyPair();
  const [info, aad, plain] = [hex('01'), hex('02'), hex('03')];
  const ephemeral = x25519.utils.randomSecretKey();
  const { enc, sealed } = sealTo(toX25519PublicKey(publicKey), info, aad, plain, ephemeral);
  expect(openWith(toX25519Secret(seed), enc, info, aad, sealed)).toStrictEqual(Buffer.from(plain));
  const other = toX25519Secret(generateKeyPair().seed);
  expect(openWith(other, enc, info, aad, sealed)).toBeUndefined();
});
