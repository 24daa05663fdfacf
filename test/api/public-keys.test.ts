/**
 * Public keys as users give them: every form gives the same bytes, and what is none is refused
 * without a word of what it was.
 */
import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
} from 'node:crypto';
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { fingerprint, generateKeyPair } from 'mneme/crypto';
import { describe, expect, test } from 'vitest';
import { fingerprintBytes, publicKeyBytes } from '../../dist/api/public-keys.js';
import { expectRangeError, expectTypeError, thrownBy, untyped } from './support.js';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Made by OpenSSL 3: a private key and its public one. */
const PRIVATE_PEM = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIEfgCQGW5+wDhYA/qWSyn3gGH4FRQgAJwD5hnaPbWjzs
-----END PRIVATE KEY-----
`;
const PEM = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAEuX4HFxX8jQf1UZ1prz9qL+cCQ4jXCLbHlr5XNJNbQg=
-----END PUBLIC KEY-----
`;
const PEM_BYTES = '12e5f81c5c57f2341fd54675a6bcfda8bf9c090e235c22db1e5af95cd24d6d08';
/** Made by ssh-keygen 9. */
const OPENSSH_BASE64 = 'AAAAC3NzaC1lZDI1NTE5AAAAIFvpUNmgDZlbHWKZs/959oXCsQ1WjSOyIQht3kAvGNsY';
const OPENSSH = `ssh-ed25519 ${OPENSSH_BASE64}`;
const OPENSSH_BYTES = '5be950d9a00d995b1d6299b3ff79f685c2b10d568d23b221086dde402f18db18';
const SPKI_HEAD = hex('302a300506032b6570032100');

function openSshLine(publicKey: Uint8Array): string {
  const blob = Buffer.concat([Buffer.from(OPENSSH_BASE64, 'base64').subarray(0, 19), publicKey]);
  return `ssh-ed25519 ${blob.toString('base64')} somebody`;
}

function pemOf(publicKey: Uint8Array): string {
  const base64 = Buffer.concat([SPKI_HEAD, publicKey]).toString('base64');
  return `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`;
}

/** The same bytes in each form that holds any 32 bytes, a point or not. */
const allForms = (bytes: Uint8Array): (Uint8Array | string)[] => [
  bytes,
  Buffer.from(bytes),
  toHex(bytes),
  openSshLine(bytes),
  pemOf(bytes),
];

/** All that an error says: nothing of what was given. */
const MESSAGE =
  /^public key must be an Ed25519 public key(?: of|:) 32 bytes[ ,A-Za-z]*, got [a-z ]+$/;

function expectRefusal(given: unknown): void {
  const error = thrownBy(() => publicKeyBytes(untyped(given)));
  expect(error).toBeInstanceOf(RangeError);
  expect(error).toMatchObject({
    code: 'ERR_OUT_OF_RANGE',
    message: expect.stringMatching(MESSAGE),
  });
  expect(error).not.toHaveProperty('cause');
}

describe('a public key is read', () => {
  test('in every form', () => {
    for (let run = 0; run < 10; run++) {
      const { publicKey } = generateKeyPair();
      for (const form of allForms(publicKey)) {
        expect(publicKeyBytes(form)).toStrictEqual(publicKey);
      }
      expect(publicKeyBytes(toHex(publicKey).toUpperCase())).toStrictEqual(publicKey);
      expect(publicKeyBytes(` ${toHex(publicKey)}\r\n`)).toStrictEqual(publicKey);
    }
  });

  test('as OpenSSL and ssh-keygen write it', () => {
    expect(toHex(publicKeyBytes(PEM))).toBe(PEM_BYTES);
    expect(toHex(publicKeyBytes(PEM.replaceAll('\n', '\r\n')))).toBe(PEM_BYTES);
    for (const end of ['', '\n', ' somebody@somewhere', '\ttwo words\r\n']) {
      expect(toHex(publicKeyBytes(OPENSSH + end))).toBe(OPENSSH_BYTES);
    }
  });

  test('as a key of the runtime, of a private one its public half', () => {
    expect(toHex(publicKeyBytes(createPublicKey(PEM)))).toBe(PEM_BYTES);
    expect(toHex(publicKeyBytes(createPrivateKey(PRIVATE_PEM)))).toBe(PEM_BYTES);
  });

  test('into bytes of its own', () => {
    const { publicKey } = generateKeyPair();
    const read = publicKeyBytes(publicKey);
    const before = toHex(publicKey);
    publicKey.fill(0);
    expect(toHex(read)).toBe(before);
  });
});

describe('refused is', () => {
  test('a point that is not of the subgroup of prime order, in every form', () => {
    for (const text of ED25519_TORSION_SUBGROUP) {
      for (const form of allForms(hex(text))) expectRefusal(form);
      expectRefusal(createPublicKey(pemOf(hex(text))));
    }
    const point = ed25519.Point.fromBytes(generateKeyPair().publicKey);
    const mixed = point.add(ed25519.Point.fromHex(ED25519_TORSION_SUBGROUP[1] as string));
    for (const form of allForms(mixed.toBytes())) expectRefusal(form);
  });

  test('another kind of key', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const x25519 = generateKeyPairSync('x25519');
    for (const { publicKey, privateKey } of [rsa, x25519]) {
      expectRefusal(publicKey);
      expectRefusal(privateKey);
      expectRefusal(publicKey.export({ format: 'pem', type: 'spki' }));
    }
    expectRefusal(createSecretKey(Buffer.alloc(32)));
    expectRefusal(PRIVATE_PEM);
  });

  test('text that is almost a key', () => {
    const line = OPENSSH;
    const almost = [
      '',
      'x'.repeat(64),
      PEM_BYTES.slice(1),
      `${PEM_BYTES}00`,
      `0x${PEM_BYTES}`,
      PEM.replace('MCow', 'MCox'),
      PEM.replace('Qg=', ''),
      PEM.slice(0, 60),
      line.slice(0, -1),
      `${line}=`,
      `${line}AAAA`,
      line.replace('ssh-ed25519', 'ssh-rsa'),
      line.replace('ssh-ed25519 ', ''),
      line.replace('ssh-ed25519 ', 'no-pty ssh-ed25519 '),
      line.replace('C3Nza', 'C3Nzb'),
      line.replace('AAAAIF', 'AAAAIV'),
      `${line}\n${line}`,
    ];
    for (const text of almost) expectRefusal(text);
    for (const length of [0, 31, 33]) expectRefusal(new Uint8Array(length));
  });

  test('anything of another type', () => {
    for (const given of [undefined, null, 1, {}, [1], new ArrayBuffer(32), new Uint16Array(16)]) {
      expectTypeError(() => publicKeyBytes(untyped(given)));
      expectTypeError(() => fingerprintBytes(untyped(given)));
    }
  });
});

test('text of any kind is a key or a RangeError', () => {
  const start = fc.constantFrom('', PEM_BYTES, PEM, OPENSSH, PRIVATE_PEM);
  fc.assert(
    fc.property(start, fc.string(), fc.nat(200), (head, noise, at) => {
      const text = head.slice(0, at) + noise + head.slice(at + noise.length);
      try {
        expect(publicKeyBytes(text)).toHaveLength(32);
      } catch (error) {
        expect(error).toMatchObject({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
      }
    }),
    { numRuns: 500 },
  );
});

test('a fingerprint is 32 bytes or 64 hex digits', () => {
  const name = fingerprint(generateKeyPair().publicKey);
  for (const form of [name, Buffer.from(name), toHex(name), toHex(name).toUpperCase()]) {
    expect(fingerprintBytes(form)).toStrictEqual(name);
  }
  for (const other of ['', toHex(name).slice(1), `g${toHex(name).slice(1)}`, name.subarray(1)]) {
    expectRangeError(() => fingerprintBytes(other));
  }
});
