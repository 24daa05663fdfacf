/**
 * Keys in files: every form in which people have them gives the same seed, and what is no key tells
 * nothing of what it is.
 */
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  fingerprint,
  generateKeyPair,
  publicKeyFromSeed,
  readKeyFile,
  writeKeyFile,
} from 'mneme/crypto';
import { expect, test } from 'vitest';
import { temporaryDirectory } from './support.js';

/** Of RFC 8032, 7.1, test 1. */
const SEED = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const PUBLIC = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
/** Made by ssh-keygen 9. */
const OPENSSH = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACBb6VDZoA2ZWx1imbP/efaFwrENVo0jsiEIbd5ALxjbGAAAAIioD3ziqA98
4gAAAAtzc2gtZWQyNTUxOQAAACBb6VDZoA2ZWx1imbP/efaFwrENVo0jsiEIbd5ALxjbGA
AAAECAjzPIBh/l+2wq0DV+vyyff1yOQwvXlkpAHVtEJAJExFvpUNmgDZlbHWKZs/959oXC
sQ1WjSOyIQht3kAvGNsYAAAABHRlc3QB
-----END OPENSSH PRIVATE KEY-----
`;
const OPENSSH_PUBLIC = '5be950d9a00d995b1d6299b3ff79f685c2b10d568d23b221086dde402f18db18';
/** Made by OpenSSL 3. */
const PEM = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIEfgCQGW5+wDhYA/qWSyn3gGH4FRQgAJwD5hnaPbWjzs
-----END PRIVATE KEY-----
`;
const PEM_SEED = '47e0090196e7ec0385803fa964b29f78061f8151420009c03e619da3db5a3cec';

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function fileWith(content: string | Uint8Array): string {
  const path = join(temporaryDirectory(), 'key');
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

test('a public key is that of the published vector, and its name its SHA-256', () => {
  expect(hexOf(publicKeyFromSeed(bytesOf(SEED)))).toBe(PUBLIC);
  expect(hexOf(fingerprint(bytesOf(PUBLIC)))).toBe(
    '21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9',
  );
});

test('a seed comes back from a file that only its owner may read', () => {
  const { seed, publicKey } = generateKeyPair();
  expect(hexOf(publicKeyFromSeed(seed))).toBe(hexOf(publicKey));
  expect(hexOf(generateKeyPair().seed)).not.toBe(hexOf(seed));
  const path = join(temporaryDirectory(), 'key');
  writeKeyFile(path, seed);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readKeyFile(path)).toStrictEqual({ seed, publicKey });
  expect(() => writeKeyFile(path, seed)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
  expect(readFileSync(path, 'utf8')).toBe(`${hexOf(seed)}\n`);
});

test('every form of a key file is read', () => {
  for (const content of [bytesOf(SEED), SEED, ` ${SEED.toUpperCase()}\r\n`]) {
    expect(hexOf(readKeyFile(fileWith(content)).publicKey)).toBe(PUBLIC);
  }
  expect(hexOf(readKeyFile(fileWith(OPENSSH)).publicKey)).toBe(OPENSSH_PUBLIC);
  expect(hexOf(readKeyFile(fileWith(PEM)).seed)).toBe(PEM_SEED);
});

test('others who may read a key file are warned of', async () => {
  const path = fileWith(SEED);
  const warnings: string[] = [];
  const note = (warning: Error) => warnings.push(warning.message);
  process.on('warning', note);
  readKeyFile(path);
  chmodSync(path, 0o644);
  readKeyFile(path);
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', note);
  expect(warnings).toEqual([expect.stringContaining('chmod 600')]);
});

test('what is no key is refused, and not told', () => {
  const others = ['', 'x', SEED.slice(1), `${SEED}00`, `g${SEED.slice(1)}`, new Uint8Array(33)];
  const broken = [OPENSSH.replace('CAjzPI', 'CAjzPJ'), PEM.replace('MC4C', 'MC4D')];
  for (const content of [...others, ...broken, 'k'.repeat(20_000)]) {
    const path = fileWith(content);
    expect(() => readKeyFile(path)).toThrow(RangeError);
    expect(() => readKeyFile(path)).not.toThrow(SEED.slice(1, 20));
  }
  expect(() => readKeyFile(join(temporaryDirectory(), 'none'))).toThrow(
    expect.objectContaining({ code: 'ENOENT' }),
  );
  expect(() => publicKeyFromSeed(new Uint8Array(31))).toThrow(RangeError);
  expect(() => fingerprint(new Uint8Array(33))).toThrow(RangeError);
  expect(() => publicKeyFromSeed(SEED as unknown as Uint8Array)).toThrow(TypeError);
});

test('bytes of any kind are a key or a RangeError', () => {
  const start = fc.constantFrom('', OPENSSH.slice(0, 200), OPENSSH, PEM);
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 200 }), fc.nat(400), (head, noise, at) => {
      const bytes = Buffer.concat([Buffer.from(head).subarray(0, at), noise]);
      const path = fileWith(bytes);
      try {
        expect(readKeyFile(path).seed).toHaveLength(32);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 300 },
  );
});
