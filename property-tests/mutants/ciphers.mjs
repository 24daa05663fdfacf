/** Rules of the ciphers, the wrapped keys and the keys that people give. */

const XCHACHA = ['property-tests/encryption/xchacha'];
const HPKE = ['test/bytes/hpke', 'property-tests/encryption/hpke'];
const IDENTITY_KEYS = ['test/bytes/identity-keys'];
const PUBLIC_KEYS = ['test/api/public-keys'];

/** @type {readonly import('./mutants.mjs').Mutant[]} */
export const CIPHER_MUTANTS = [
  {
    rule: 'a prefix of a nonce has a subkey of its own',
    file: 'shared/bytes/xchacha.ts',
    find: '!startsWith(nonce, this.#prefix.bytes)',
    replace: 'false',
    suites: XCHACHA,
  },
  {
    rule: 'a subkey is kept with the prefix that it was made of',
    file: 'shared/bytes/xchacha.ts',
    find: 'this.#prefix.bytes.set(nonce.subarray(0, PREFIX_BYTES));\n      this.#deriveSubkey();',
    replace:
      'this.#deriveSubkey();\n      this.#prefix.bytes.set(nonce.subarray(0, PREFIX_BYTES));',
    suites: XCHACHA,
  },
  {
    rule: 'the rest of a nonce stands behind four zeros',
    file: 'shared/bytes/xchacha.ts',
    find: 'const REST_OFFSET = 4;',
    replace: 'const REST_OFFSET = 0;',
    suites: XCHACHA,
  },
  {
    rule: 'a cleared key seals nothing',
    file: 'shared/bytes/xchacha.ts',
    find: "assert(!this.#isCleared, 'the key is still there');",
    replace: '',
    suites: XCHACHA,
  },
  {
    rule: 'what a tag does not prove is not given out',
    file: 'shared/bytes/chacha.ts',
    find: 'plain.fill(0); // nothing was proven of it\n      return undefined;',
    replace: 'return plain;',
    suites: XCHACHA,
  },
  {
    rule: 'the runtime binds what it seals to the aad',
    file: 'shared/bytes/chacha.ts',
    find: '    cipher.setAAD(aad, { plaintextLength: plain.length });\n',
    replace: '',
    suites: XCHACHA,
  },
  {
    rule: 'the runtime opens with the aad that was meant',
    file: 'shared/bytes/chacha.ts',
    find: '    decipher.setAAD(aad, { plaintextLength: bytes.length });\n',
    replace: '',
    suites: XCHACHA,
  },
  {
    rule: 'the cipher in its stead opens with the tag that was given',
    file: 'shared/bytes/chacha.ts',
    find: 'cipher.decrypt(Buffer.concat([bytes, tag]))',
    replace: 'chacha20poly1305(key, nonce, aad).encrypt(bytes).subarray(0, bytes.length)',
    suites: XCHACHA,
  },
  {
    rule: 'a tag has all its bytes',
    file: 'shared/bytes/chacha.ts',
    find: "assert(tag.length === TAG_BYTES, 'a tag has 16 bytes'); // a shorter one proves less",
    replace: '',
    suites: XCHACHA,
  },
  {
    rule: 'a shared secret of zero is refused',
    file: 'shared/bytes/hpke.ts',
    find: 'return undefined; // with both lengths right, that is all it can mean',
    replace: 'return new Uint8Array(X25519_KEY_BYTES);',
    suites: HPKE,
  },
  {
    rule: 'the key of a message is bound to who it is for',
    file: 'shared/bytes/hpke.ts',
    find: 'Buffer.concat([enc, recipient])',
    replace: 'enc',
    suites: HPKE,
  },
  {
    rule: 'the key of a message is bound to what it is for',
    file: 'shared/bytes/hpke.ts',
    find: "labeledExtract(HPKE_SUITE, EMPTY, 'info_hash', info)",
    replace: "labeledExtract(HPKE_SUITE, EMPTY, 'info_hash', EMPTY)",
    suites: HPKE,
  },
  {
    rule: 'a label says how long what it is for is to be',
    file: 'shared/bytes/hpke.ts',
    find: 'Uint8Array.of(lengthBytes >>> 8, lengthBytes & 0xff)',
    replace: 'Uint8Array.of(lengthBytes & 0xff, lengthBytes >>> 8)',
    suites: HPKE,
  },
  {
    rule: 'what is too short to be a message is refused',
    file: 'shared/bytes/hpke.ts',
    find: ' || sealed.length < TAG_BYTES',
    replace: '',
    suites: HPKE,
  },
  {
    rule: 'a point of small order is no public key',
    file: 'shared/bytes/identity-keys.ts',
    find: "if (point.isSmallOrder()) throw noPublicKey('a point of small order');",
    replace: '',
    suites: IDENTITY_KEYS,
  },
  {
    rule: 'a point with a part of small order is no public key',
    file: 'shared/bytes/identity-keys.ts',
    find: '!point.isTorsionFree()',
    replace: 'false',
    suites: IDENTITY_KEYS,
  },
  {
    rule: 'nothing is sealed for a key that was not checked',
    file: 'shared/bytes/identity-keys.ts',
    find: 'checkPublicKey(publicKey);\n  return nobleCurves()',
    replace: 'return nobleCurves()',
    suites: IDENTITY_KEYS,
  },
  {
    rule: 'an error tells nothing of a key',
    file: 'shared/bytes/identity-keys.ts',
    find: "throw noPublicKey('something else')",
    replace: 'throw noPublicKey(String(bytes))',
    suites: IDENTITY_KEYS,
  },
  {
    rule: 'a public key is checked in every form',
    file: 'api/public-keys.ts',
    find: '  checkPublicKey(bytes);\n',
    replace: '',
    suites: PUBLIC_KEYS,
  },
  {
    rule: 'a public key that was given may be overwritten',
    file: 'api/public-keys.ts',
    find: 'return new Uint8Array(key);',
    replace: 'return key;',
    suites: PUBLIC_KEYS,
  },
  {
    rule: 'a line of OpenSSH holds a key of Ed25519',
    file: 'api/public-keys.ts',
    find: 'bytes.subarray(0, OPENSSH_HEAD.length).equals(OPENSSH_HEAD)',
    replace: 'true',
    suites: PUBLIC_KEYS,
  },
  {
    rule: 'a key of the runtime is one of Ed25519',
    file: 'api/public-keys.ts',
    find: "if (key.asymmetricKeyType !== 'ed25519') throw noPublicKey();",
    replace: '',
    suites: PUBLIC_KEYS,
  },
];
