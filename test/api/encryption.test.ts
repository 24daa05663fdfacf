/**
 * Encrypted keyspaces: what is put in comes back to who has a key, and to nobody else.
 */
import { createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Database, type EncryptionOption, open } from 'mneme';
import { fingerprint, generateKeyPair, writeKeyFile } from 'mneme/crypto';
import { expect, onTestFinished, test } from 'vitest';
import {
  expectCode,
  expectRangeError,
  expectTypeError,
  memory,
  openHere,
  temporaryDirectory,
  temporaryPath,
  thrownBy,
  untyped,
} from './support.js';

const CANARY = 'canary-4711';
const LONG = `${CANARY} `.repeat(200_000);
const own = generateKeyPair();
const encryption = { seed: own.seed };
const VECTORS = Array.from({ length: 40 }, (_, index) => {
  return Float32Array.from({ length: 24 }, (_value, at) => Math.sin(index * 7 + at));
});

/** Some of every type. */
function fill(database: Database): void {
  const values = database.keyspace('values', { encrypted: true });
  for (let index = 0; index < 500; index++) values.set(`${CANARY} ${index}`, `${CANARY} ${index}`);
  values.set('long', LONG);
  values.set('expiring', 1, { ttl: 1000 });
  VECTORS.forEach((vector, index) => {
    values.vset(`${CANARY} ${index}`, vector);
  });
  values.sortedSet(CANARY).add(1, CANARY, 2, 'b');
  values.list(CANARY).rpush(CANARY, LONG, 5);
  const texts = database.ftKeyspace('texts', { encrypted: true });
  texts.putMany([
    ['one', `the ${CANARY} fox`],
    ['two', 'a lazy dog'],
  ]);
  database.keyspace('plain').set('visible', 'for everybody');
}

function expectFilled(database: Database): void {
  const values = database.keyspace('values');
  expect(values.count()).toBe(502);
  expect(values.get(`${CANARY} 77`)).toBe(`${CANARY} 77`);
  expect(values.get('long') === LONG).toBe(true);
  expect(values.range({ prefix: CANARY }).toArray()).toHaveLength(500);
  expect(values.ttl('expiring')).toBeGreaterThan(900);
  expect(values.vget(`${CANARY} 3`)).toEqual(VECTORS[3]);
  const [nearest] = values.vsearch(VECTORS[9] as Float32Array, { topK: 1 });
  expect(nearest?.key).toBe(`${CANARY} 9`);
  expect(values.sortedSet(CANARY).score(CANARY)).toBe(1);
  expect(values.list(CANARY).range()).toEqual([CANARY, LONG, 5]);
  const texts = database.ftKeyspace('texts');
  expect(texts.search('canary fox', { snippet: {} })[0]?.key).toBe('one');
  expect(texts.get('two')).toBe('a lazy dog');
  expect(database.keyspace('plain').get('visible')).toBe('for everybody');
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
}

test('everything comes back, in the same opening and in another', () => {
  const path = temporaryPath();
  const database = open(path, { encryption });
  fill(database);
  expectFilled(database);
  expect(database.info()).toMatchObject({ encrypted: true, keySlots: 1 });
  database.close();
  expectFilled(openHere(path, { encryption, cacheSize: 2 ** 20 }));
  expectFilled(openHere(path, { encryption, readonly: true }));
});

test('a database in memory has encrypted keyspaces too', () => {
  const database = memory({ encryption });
  fill(database);
  expectFilled(database);
});

test('nothing of it stands in the file or in an error', () => {
  const path = temporaryPath();
  const database = openHere(path, { encryption, sync: 'none', cacheSize: 2 ** 20 });
  fill(database);
  database.rotateDataKey({ now: true });
  const values = database.keyspace('values');
  const errors = [
    thrownBy(() => values.incr(`${CANARY} 1`)),
    thrownBy(() => values.vset(`${CANARY} 1`, [1, 2])),
    thrownBy(() => database.batch(() => untyped(values.set(`${CANARY} 1`, untyped({}))))),
  ];
  database.close();
  const folder = dirname(path);
  for (const name of readdirSync(folder)) {
    const file = readFileSync(`${folder}/${name}`);
    expect(file.includes(CANARY)).toBe(false);
    expect(file.includes(Buffer.from(own.seed))).toBe(false);
    expect(file.includes(Buffer.from((VECTORS[3] as Float32Array).buffer))).toBe(false);
  }
  for (const error of errors) expect(String(error)).not.toContain(CANARY);
});

test('without a key the file opens, and encrypted keyspaces ask for one', () => {
  const path = temporaryPath();
  const first = open(path, { encryption });
  fill(first);
  first.close();
  const database = openHere(path);
  expect(database.keyspaces()).toEqual(['plain', 'texts', 'values']);
  expect(database.info()).toMatchObject({ encrypted: true, keySlots: 1 });
  expectCode('ERR_MNEME_KEY_REQUIRED', () => database.keyspace('values'));
  expectCode('ERR_MNEME_KEY_REQUIRED', () => database.keyspace('values', { encrypted: true }));
  expectCode('ERR_MNEME_KEY_REQUIRED', () => database.ftKeyspace('texts'));
  expectCode('ERR_MNEME_KEY_REQUIRED', () => database.keyspace('new', { encrypted: true }));
  expectCode('ERR_MNEME_KEY_REQUIRED', () => database.ftKeyspace('new', { encrypted: true }));
  expectCode('ERR_MNEME_KEY_REQUIRED', () => database.dropKeyspace('values'));
  expectCode('ERR_MNEME_KEY_REQUIRED', () => database.addEncryptionKey(own.publicKey));
  expectCode('ERR_MNEME_KEY_REQUIRED', () => database.removeEncryptionKey(new Uint8Array(32)));
  expectCode('ERR_MNEME_KEY_REQUIRED', () => database.rotateDataKey());
  expectCode('ERR_MNEME_KEY_REQUIRED', () => database.snapshot().keyspace('values'));
  expectCode('ERR_MNEME_KEY_REQUIRED', () => database.batch((tx) => tx.keyspace('values')));
  expect(database.listEncryptionKeys()).toMatchObject([{ current: false }]);
  database.keyspace('plain').set('more', 1);
  expect(database.purgeExpired()).toBe(0);
  expect(database.verify()).toMatchObject({ ok: true });
  database.close();
  expectFilled(openHere(path, { encryption }));
});

test('a key that is not authorised is told of at open, and never as damage', () => {
  const path = temporaryPath();
  const first = open(path, { encryption });
  fill(first);
  first.close();
  const other = generateKeyPair();
  const error = expectCode('ERR_MNEME_KEY_NOT_AUTHORIZED', () => {
    return open(path, { encryption: { seed: other.seed } });
  });
  expect(error.details).toEqual({
    fingerprint: Buffer.from(fingerprint(other.publicKey)).toString('hex'),
  });
  expectFilled(openHere(path, { encryption }));
});

test('a key gets its slot with the first encrypted write', () => {
  const path = temporaryPath();
  const database = openHere(path, { encryption });
  expect(database.listEncryptionKeys()).toEqual([]);
  expect(database.info()).toMatchObject({ encrypted: false, keySlots: 0 });
  database.keyspace('plain').set('a', 1);
  const values = database.keyspace('values', { encrypted: true });
  expect(values.get('a')).toBeUndefined();
  expect(values.del('a')).toBe(false);
  expect(database.listEncryptionKeys()).toEqual([]);
  expect(() => {
    database.batch(() => {
      values.set('a', 1);
      throw new Error('undone');
    });
  }).toThrow('undone');
  expect(database.listEncryptionKeys()).toEqual([]);
  values.set('a', 1);
  const bytes = fingerprint(own.publicKey);
  const hex = Buffer.from(bytes).toString('hex');
  expect(database.listEncryptionKeys()).toEqual([{ fingerprint: bytes, hex, current: true }]);
});

test('what a handle asks for has to be what is stored', () => {
  const database = memory({ encryption });
  database.keyspace('plain').set('a', 1);
  database.keyspace('sealed', { encrypted: true }).set('a', 1);
  database.ftKeyspace('words', { encrypted: true }).put('a', 'b');
  const mismatches = [
    () => database.keyspace('plain', { encrypted: true }),
    () => database.keyspace('sealed', { encrypted: false }),
    () => database.ftKeyspace('words', { encrypted: false }),
    () => database.snapshot().keyspace('plain', { encrypted: true }),
  ];
  for (const mismatch of mismatches) expectCode('ERR_MNEME_ENCRYPTION_MISMATCH', mismatch);
  const [a, b] = [database.keyspace('new', { encrypted: true }), database.keyspace('new')];
  expect(b.get('x')).toBeUndefined();
  a.set('x', 1);
  expect(b.get('x')).toBe(1);
  const plain = database.keyspace('later', { encrypted: false });
  database.keyspace('later', { encrypted: true }).set('x', 1);
  expectCode('ERR_MNEME_ENCRYPTION_MISMATCH', () => plain.set('x', 2));
  expectCode('ERR_MNEME_ENCRYPTION_MISMATCH', () => plain.get('x'));
  expectTypeError(() => database.keyspace('sealed', { encrypted: untyped('yes') }));
});

test('a dropped keyspace is gone, and may be made anew of the other kind', () => {
  const path = temporaryPath();
  const database = openHere(path, { encryption });
  fill(database);
  expect(database.dropKeyspace('values')).toBe(true);
  database.keyspace('values', { encrypted: false }).set('a', 'plain now');
  expect(database.verify()).toMatchObject({ ok: true });
  database.close();
  const locked = openHere(path);
  expect(locked.keyspace('values').get('a')).toBe('plain now');
  for (let index = 0; index < 5; index++) locked.keyspace('values').set('b', index);
  expect(locked.verify()).toMatchObject({ ok: true });
  locked.close();
  const again = openHere(path, { encryption });
  for (let index = 0; index < 5; index++) again.keyspace('values').set('c', index);
  expect(again.verify()).toMatchObject({ ok: true });
});

test('a batch over plain and encrypted keyspaces is one transaction, with savepoints', () => {
  const path = temporaryPath();
  const database = openHere(path, { encryption, cacheSize: 2 ** 20 });
  const [sealed, plain] = [database.keyspace('s', { encrypted: true }), database.keyspace('p')];
  database.batch(() => {
    for (let index = 0; index < 3000; index++) {
      sealed.set(`key ${index}`, `${CANARY} ${index}`.repeat(20));
      plain.set(`key ${index}`, index);
    }
    const undone = () => {
      database.batch(() => {
        sealed.delRange({ gte: 'key 1', lt: 'key 3' });
        plain.set('key 5', 'no');
        throw new Error('back');
      });
    };
    expect(undone).toThrow('back');
    expect(sealed.get('key 2')).toBe(`${CANARY} 2`.repeat(20));
    const walk = sealed.range({ prefix: 'key 1' });
    sealed.del('key 1');
    expect(walk.toArray()).toHaveLength(1111);
  });
  expect(sealed.count()).toBe(2999);
  expect(plain.get('key 5')).toBe(5);
  expect(database.verify()).toMatchObject({ ok: true });
  database.close();
  expect(readFileSync(path).includes(CANARY)).toBe(false);
});

test('keys come as files, seeds and key objects', () => {
  const path = temporaryPath();
  const first = open(path, { encryption });
  fill(first);
  first.close();
  const folder = temporaryDirectory();
  writeKeyFile(`${folder}/hex`, own.seed);
  writeFileSync(`${folder}/raw`, own.seed, { mode: 0o600 });
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), own.seed]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  writeFileSync(`${folder}/pem`, key.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  const ways: EncryptionOption[] = [
    ...['hex', 'raw', 'pem'].map((name) => ({ keyFile: `${folder}/${name}` })),
    { keyFile: new URL(`file://${folder}/hex`) },
    { seed: own.seed, publicKey: own.publicKey },
    { key },
  ];
  for (const way of ways) {
    const database = openHere(path, { encryption: way });
    expect(database.keyspace('values').get('long') === LONG).toBe(true);
    database.close();
  }
  expect(own.seed.some((byte) => byte !== 0)).toBe(true); // the caller's own stays as it is
});

test('what is no key is refused before anything is opened', () => {
  const path = temporaryPath();
  const folder = temporaryDirectory();
  writeFileSync(`${folder}/other`, 'not a key');
  const { publicKey } = generateKeyPair();
  for (const way of [null, 5, {}, { key: 5 }, { keyFile: 5 }, { seed: 'text' }]) {
    expectTypeError(() => open(path, { encryption: untyped(way) }));
  }
  expectRangeError(() => open(path, { encryption: { seed: new Uint8Array(31) } }));
  expectRangeError(() => open(path, { encryption: { seed: own.seed, publicKey } }));
  expectRangeError(() => open(path, { encryption: { keyFile: `${folder}/other` } }));
  expect(() => open(path, { encryption: { keyFile: `${folder}/none` } })).toThrow('ENOENT');
  expectCode('ERR_MNEME_NOT_FOUND', () => open(path, { create: false }));
});

test('threads that attach, and readers, read what is encrypted', async () => {
  const database = openHere(temporaryPath(), { encryption, threads: 2 });
  const values = database.keyspace('values', { encrypted: true });
  database.batch(() => {
    for (let index = 0; index < 6000; index++) {
      const vector = Float32Array.from({ length: 300 }, (_, at) => Math.sin(index * 3 + at));
      values.vset(`v${index}`, vector);
    }
    values.set('a', CANARY);
  });
  const query = Float32Array.from({ length: 300 }, (_, at) => Math.sin(77 * 3 + at));
  const expected = values.vsearch(query, { topK: 3, threads: 1 });
  expect(expected[0]?.key).toBe('v77');
  for (let round = 0; round < 5; round++)
    expect(values.vsearch(query, { topK: 3 })).toEqual(expected);
  expect(await values.vsearchAsync(query, { topK: 3 })).toEqual(expected);
  const texts = database.ftKeyspace('texts', { encrypted: true });
  texts.put('one', `the ${CANARY}`);
  expect(await texts.searchAsync(CANARY)).toEqual(texts.search(CANARY));
  const file = new URL('children/attach-encrypted.mjs', import.meta.url);
  const worker = new Worker(file, { workerData: database.share() });
  onTestFinished(async () => void (await worker.terminate()));
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  expect(values.get('b')).toBe(`from ${CANARY}`);
});
