/**
 * The published vectors of what seals pages and wraps keys.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { expect, test } from 'vitest';
import { openWith, sealTo } from '../../dist/shared/bytes/hpke.js';
import {
  checkPublicKey,
  toX25519PublicKey,
  toX25519Secret,
} from '../../dist/shared/bytes/identity-keys.js';
import { XChaCha } from '../../dist/shared/bytes/xchacha.js';
import { expectRangeError } from '../api/support.js';

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const rising = (start: number, count: number) =>
  Uint8Array.from({ length: count }, (_, at) => start + at);

test('XChaCha20-Poly1305 seals as draft-irtf-cfrg-xchacha-03 says, A.3.1', () => {
  const text =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, " +
    'sunscreen would be it.';
  const cipher = new XChaCha(rising(0x80, 32));
  const nonce = rising(0x40, 24);
  const bound = hex('50515253c0c1c2c3c4c5c6c7');
  const { bytes, tag } = cipher.seal(nonce, bound, Buffer.from(text));
  expect(Buffer.from(bytes).toString('hex')).toBe(
    'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4e' +
      'da7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76' +
      'b2383565d3fff921f9664c97637da9768812f615c68b13b52e',
  );
  expect(Buffer.from(tag).toString('hex')).toBe('c0875924c1c7987947deafd8780acf49');
  expect(Buffer.from(cipher.open(nonce, bound, bytes, tag) ?? []).toString()).toBe(text);
});

test('HPKE seals and opens as RFC 9180 says, A.2.1', () => {
  const ephemeral = hex('f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600');
  const recipient = hex('4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a');
  const secret = hex('8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb');
  const info = Buffer.from('Ode on a Grecian Urn');
  const bound = Buffer.from('Count-0');
  const plain = Buffer.from('Beauty is truth, truth beauty');
  const { enc, sealed } = sealTo(recipient, info, bound, plain, ephemeral);
  expect(Buffer.from(enc).toString('hex')).toBe(
    '1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a',
  );
  expect(Buffer.from(sealed).toString('hex')).toBe(
    '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28',
  );
  expect(openWith(secret, enc, info, bound, sealed)).toEqual(new Uint8Array(plain));
});

/** All points whose order divides eight, in every encoding that some libraries take. */
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
];

test.each(SMALL_ORDER)('%s, of small order or no canonical encoding, is refused', (encoding) => {
  expectRangeError(() => checkPublicKey(hex(encoding)));
});

test('points with a part of small order are refused, and sound ones are not', () => {
  const torsion = ed25519.Point.fromHex(SMALL_ORDER[10] as string, true);
  for (let round = 0; round < 8; round++) {
    const sound = ed25519.Point.fromBytes(ed25519.getPublicKey(rising(round, 32)));
    checkPublicKey(sound.toBytes());
    let mixed = sound;
    for (let order = 1; order < 8; order++) {
      mixed = mixed.add(torsion);
      expectRangeError(() => checkPublicKey(mixed.toBytes()));
    }
    checkPublicKey(mixed.add(torsion).toBytes());
  }
});

test('what is sealed to a public key opens with its seed', () => {
  for (let round = 0; round < 8; round++) {
    const seed = rising(round * 7, 32);
    const recipient = toX25519PublicKey(ed25519.getPublicKey(seed));
    const { enc, sealed } = sealTo(
      recipient,
      rising(1, 5),
      rising(2, 5),
      rising(3, 32),
      rising(9, 32),
    );
    const opened = openWith(toX25519Secret(seed), enc, rising(1, 5), rising(2, 5), sealed);
    expect(opened).toEqual(rising(3, 32));
    expect(openWith(toX25519Secret(rising(99, 32)), enc, rising(1, 5), rising(2, 5), sealed)).toBe(
      undefined,
    );
  }
});
