/** Rules of encryption: what is sealed, bound, and never used twice. */

const TAMPERING = ['property-tests/encryption/tampering'];
const NONCES = ['property-tests/encryption/nonces'];
const KEYS = ['test/api/encryption-keys'];

/** @type {readonly import('./mutants.mjs').Mutant[]} */
export const ENCRYPTION_MUTANTS = [
  {
    rule: 'each page has a nonce of its own',
    file: 'shared/pages/page-cipher.ts',
    find: 'this.#count++;',
    replace: '',
    suites: NONCES,
  },
  {
    rule: 'each transaction begins with a random nonce',
    file: 'shared/pages/page-cipher.ts',
    find: 'this.#nonce.set(this.#random(PREFIX_BYTES));',
    replace: '',
    suites: [...KEYS, ...NONCES],
  },
  {
    rule: 'a page is bound to its place',
    file: 'shared/pages/page-cipher.ts',
    find: 'writeU32(this.#bound, 16, pageId);',
    replace: '',
    suites: TAMPERING,
  },
  {
    rule: 'a page is bound to its level',
    file: 'shared/pages/page-cipher.ts',
    find: 'this.#bound[20] = kind;',
    replace: '',
    suites: TAMPERING,
  },
  {
    rule: 'a keyspace has a key of its own',
    file: 'shared/pages/page-cipher.ts',
    find: 'const info = Buffer.concat([Buffer.from(KEYSPACE_INFO), this.#keyspaceId]);',
    replace: 'const info = Buffer.from(KEYSPACE_INFO);',
    suites: TAMPERING,
  },
  {
    rule: 'the record of a keyspace is bound to its name',
    file: 'shared/pages/page-cipher.ts',
    find: 'return Buffer.concat([this.#bind(toPageId(0), RECORD), catalogKey]);',
    replace: 'return this.#bind(toPageId(0), RECORD + 0 * catalogKey.length);',
    suites: TAMPERING,
  },
  {
    rule: 'the key ring is under a MAC',
    file: 'shared/keyspaces/key-ring.ts',
    find: 'if (!isEqualSecret(ringMac(key, databaseId, ring), ring.mac))',
    replace: 'if (ring.mac.length !== ringMac(key, databaseId, ring).length)',
    suites: TAMPERING,
  },
  {
    rule: 'who removes a key begins a new epoch',
    file: 'writer/keyspaces/key-ring.ts',
    find: 'this.#write({ keys: this.#nextEpoch(keys), recipients: others });',
    replace: 'this.#write({ keys, recipients: others });',
    suites: KEYS,
  },
  {
    rule: 'a new node has nothing of what its frame held',
    file: 'shared/pages/page.ts',
    find: 'memory.f64.fill(0, address >>> 3, (address + memory.pageSize) >>> 3);',
    replace: '',
    suites: ['property-tests/crash/encrypted'],
  },
];
