/**
 * Who can open a database's encrypted keyspaces: keys come and go, and data keys are exchanged.
 */
import { createPublicKey } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { type Database, open } from 'mneme';
import { fingerprint, generateKeyPair } from 'mneme/crypto';
import { expect, test } from 'vitest';
import {
  expectCode,
  expectRangeError,
  expectTypeError,
  memory,
  openHere,
  temporaryDirectory,
  temporaryPath,
  untyped,
} from './support.js';

const [own, other, third] = [generateKeyPair(), generateKeyPair(), generateKeyPair()];
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
const SMALL_ORDER = '0000000000000000000000000000000000000000000000000000000000000080';
const NO_POINT = '0200000000000000000000000000000000000000000000000000000000000000';
const LONG = 'long '.repeat(300_000);

function filled(path: string): Database {
  const database = openHere(path, { encryption: { seed: own.seed } });
  const values = database.keyspace('values', { encrypted: true });
  database.batch(() => {
    for (let index = 0; index < 3000; index++) values.set(`key ${index}`, `value ${index}`);
  });
  values.set('long', LONG);
  values.list('list').rpush('a', LONG, 'b');
  values.vset('v', [1, 2, 3]);
  return database;
}

function expectFilled(database: Database): void {
  const values = database.keyspace('values', { encrypted: true });
  expect(values.count()).toBe(3001);
  expect(values.get('key 1234')).toBe('value 1234');
  expect(values.get('long') === LONG).toBe(true);
  expect(values.list('list').range()).toEqual(['a', LONG, 'b']);
  expect(values.vget('v')).toEqual(Float32Array.of(1, 2, 3));
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
}

/** Epochs of the data keys that pages of the file are sealed with: the trailers' last field. */
function epochsIn(path: string): Set<number> {
  const file = readFileSync(path);
  const epochs = new Set<number>();
  for (let end = 131_072 + 4096; end <= file.length; end += 4096) {
    const isSealed = file.subarray(end - 48, end - 8).some((byte) => byte !== 0);
    const epoch = file.readUInt32LE(end - 8);
    if (isSealed && epoch < 100) epochs.add(epoch);
  }
  return epochs;
}

test('another key opens the database, however it was written', () => {
  const der = Buffer.concat([SPKI_HEAD, other.publicKey]);
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const head = Buffer.from('0000000b7373682d6564323535313900000020', 'hex');
  const line = Buffer.concat([head, other.publicKey]).toString('base64');
  const ways = [
    other.publicKey,
    Buffer.from(other.publicKey).toString('hex'),
    `ssh-ed25519 ${line} somebody@somewhere`,
    key.export({ format: 'pem', type: 'spki' }) as string,
    key,
  ];
  for (const way of ways) {
    const path = temporaryPath();
    const database = filled(path);
    expect(database.addEncryptionKey(way)).toEqual(fingerprint(other.publicKey));
    expect(database.addEncryptionKey(way)).toEqual(fingerprint(other.publicKey));
    expect(database.info().keySlots).toBe(2);
    database.close();
    const theirs = openHere(path, { encryption: { seed: other.seed } });
    expectFilled(theirs);
    const current = theirs.listEncryptionKeys().find((it) => it.current);
    expect(current?.fingerprint).toEqual(fingerprint(other.publicKey));
    theirs.close();
  }
});

test('a key that was removed opens nothing any more', () => {
  const path = temporaryPath();
  const database = filled(path);
  database.addEncryptionKey(other.publicKey);
  database.addEncryptionKey(third.publicKey);
  database.removeEncryptionKey(fingerprint(other.publicKey));
  database.removeEncryptionKey(Buffer.from(fingerprint(third.publicKey)).toString('hex'));
  expect(database.listEncryptionKeys()).toMatchObject([{ current: true }]);
  database.keyspace('values').set('key 1234', 'value 1234');
  expectFilled(database);
  database.close();
  for (const { seed } of [other, third]) {
    expectCode('ERR_MNEME_KEY_NOT_AUTHORIZED', () => open(path, { encryption: { seed } }));
  }
  expect(epochsIn(path)).toEqual(new Set([1, 3])); // nothing was written in the second
  expectFilled(openHere(path, { encryption: { seed: own.seed } }));
});

test('the last key stays, and an unknown one is told of', () => {
  const database = filled(temporaryPath());
  const last = fingerprint(own.publicKey);
  expectCode('ERR_MNEME_LAST_KEY', () => database.removeEncryptionKey(last));
  const hex = Buffer.from(fingerprint(other.publicKey)).toString('hex');
  const error = expectCode('ERR_MNEME_KEY_NOT_FOUND', () => database.removeEncryptionKey(hex));
  expect(error.details).toEqual({ fingerprint: hex });
  expectRangeError(() => database.removeEncryptionKey('abc'));
  expectRangeError(() => database.removeEncryptionKey(new Uint8Array(31)));
  expectTypeError(() => database.removeEncryptionKey(untyped(5)));
  expectFilled(database);
});

test('who removes its own key goes on until it closes', () => {
  const path = temporaryPath();
  const database = filled(path);
  database.addEncryptionKey(other.publicKey);
  database.removeEncryptionKey(fingerprint(own.publicKey));
  expect(database.listEncryptionKeys()).toMatchObject([{ current: false }]);
  expect(database.keyspace('values').get('key 7')).toBe('value 7');
  database.close();
  expectFilled(openHere(path, { encryption: { seed: other.seed } }));
});

test('keys that are none, or that others could know the secret of, are refused', () => {
  const database = filled(temporaryPath());
  for (const key of ['', 'abc', 'ssh-ed25519 AAAA', '-----BEGIN PUBLIC KEY-----', NO_POINT]) {
    expectRangeError(() => database.addEncryptionKey(key));
  }
  expectRangeError(() => database.addEncryptionKey(new Uint8Array(31)));
  expectRangeError(() => database.addEncryptionKey(new Uint8Array(32)));
  expectRangeError(() => database.addEncryptionKey(SMALL_ORDER));
  expectTypeError(() => database.addEncryptionKey(untyped(5)));
  expect(database.info().keySlots).toBe(1);
});

test('keys change with the batch they are changed in', () => {
  const path = temporaryPath();
  const database = filled(path);
  const undone = () => {
    database.batch(() => {
      database.addEncryptionKey(other.publicKey);
      expect(database.listEncryptionKeys()).toHaveLength(2);
      database.keyspace('values').set('key 1', 'never');
      throw new Error('back');
    });
  };
  expect(undone).toThrow('back');
  expect(database.listEncryptionKeys()).toHaveLength(1);
  database.batch(() => {
    database.addEncryptionKey(other.publicKey);
    expect(() => {
      database.batch(() => {
        database.removeEncryptionKey(fingerprint(own.publicKey));
        database.keyspace('values').set('key 2', 'never');
        throw new Error('back');
      });
    }).toThrow('back');
    database.keyspace('values').set('new', 1);
    database.keyspace('values').del('new');
  });
  expect(database.listEncryptionKeys()).toHaveLength(2);
  expectFilled(database);
  database.close();
  expectFilled(openHere(path, { encryption: { seed: other.seed } }));
  expectFilled(openHere(path, { encryption: { seed: own.seed } }));
});

test('a new data key seals what is written from then on', () => {
  const path = temporaryPath();
  const database = filled(path);
  database.rotateDataKey();
  expectFilled(database);
  database.keyspace('values').set('key 1', 'value 1');
  database.sync();
  expect(epochsIn(path)).toEqual(new Set([1, 2]));
  for (let round = 0; round < 20; round++) database.rotateDataKey();
  expectFilled(database);
  database.close();
  expectFilled(openHere(path, { encryption: { seed: own.seed }, cacheSize: 2 ** 20 }));
});

test('with now everything is sealed anew, and older data keys are forgotten', () => {
  const path = temporaryPath();
  const database = filled(path);
  const texts = database.ftKeyspace('texts', { encrypted: true });
  texts.putMany(Array.from({ length: 300 }, (_, index) => [`d${index}`, `word${index % 7} b`]));
  database.keyspace('dropped', { encrypted: true }).set('a', LONG);
  database.dropKeyspace('dropped');
  const snapshot = database.snapshot();
  const walk = database.keyspace('values').range();
  walk.next();
  const seen: number[] = [];
  database.rotateDataKey({
    now: true,
    onProgress: ({ done, total, phase }) => {
      expect(phase).toBe('rotate');
      expect(done).toBeLessThanOrEqual(total);
      seen.push(done);
      database.keyspace('values').set('key 3', 'value 3'); // who is told may write
    },
  });
  expect(seen.length).toBeGreaterThan(2);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expectFilled(database);
  expect(texts.search('word3')).toHaveLength(10);
  expect(snapshot.keyspace('values').get('long') === LONG).toBe(true);
  expect(walk.toArray()).toHaveLength(3000);
  snapshot.close();
  database.close();
  const again = openHere(path, { encryption: { seed: own.seed } });
  expectFilled(again);
  expect(again.ftKeyspace('texts').search('word3')).toHaveLength(10);
});

test('data keys cannot be exchanged in a batch or while reading only', () => {
  const path = temporaryPath();
  const database = filled(path);
  database.batch(() => {
    expectCode('ERR_MNEME_BATCH_ACTIVE', () => database.rotateDataKey());
  });
  database.close();
  const reading = openHere(path, { encryption: { seed: own.seed }, readonly: true });
  expectCode('ERR_MNEME_READONLY', () => reading.rotateDataKey());
  expectCode('ERR_MNEME_READONLY', () => reading.addEncryptionKey(other.publicKey));
  expectCode('ERR_MNEME_READONLY', () => reading.removeEncryptionKey(new Uint8Array(32)));
  expect(reading.listEncryptionKeys()).toHaveLength(1);
  reading.close();
  expectCode('ERR_MNEME_CLOSED', () => reading.listEncryptionKeys());
  expectCode('ERR_MNEME_CLOSED', () => reading.rotateDataKey());
});

test('another opening sees new keys and what is sealed with new data keys', () => {
  const path = temporaryPath();
  const database = filled(path);
  database.addEncryptionKey(other.publicKey);
  const theirs = openHere(path, { encryption: { seed: other.seed } });
  expectFilled(theirs);
  database.rotateDataKey({ now: true });
  database.keyspace('values').set('key 1', 'value 1');
  expectFilled(theirs);
  theirs.rotateDataKey();
  theirs.keyspace('values').set('key 2', 'value 2');
  theirs.removeEncryptionKey(fingerprint(own.publicKey));
  theirs.keyspace('values').set('key 3', 'from them');
  // The one that was removed reads on what was there; the new data key it does not get.
  expectCode('ERR_MNEME_KEY_NOT_AUTHORIZED', () => database.keyspace('values').get('key 3'));
  expectCode('ERR_MNEME_KEY_NOT_AUTHORIZED', () => database.keyspace('values').set('key 3', 1));
  expect(theirs.keyspace('values').get('key 3')).toBe('from them');
});

test('copies of a file that go on in two places never use a nonce twice', () => {
  const folder = temporaryDirectory();
  const [left, right] = [`${folder}/left`, `${folder}/right`];
  filled(left).close();
  copyFileSync(left, right);
  const nonces = new Map<string, string>();
  for (const path of [left, right]) {
    const database = openHere(path, { encryption: { seed: own.seed } });
    const values = database.keyspace('values');
    for (let round = 0; round < 50; round++) values.set(`key ${round * 50}`, `${path} ${round}`);
    database.close();
    const file = readFileSync(path);
    for (let start = 131_072; start + 4096 <= file.length; start += 4096) {
      const page = file.subarray(start, start + 4096);
      const nonce = page.toString('hex', 4048, 4072);
      if (page.readUInt32LE(4088) !== 1) continue; // not sealed
      const content = page.toString('base64');
      expect(nonces.get(nonce) ?? content).toBe(content);
      nonces.set(nonce, content);
    }
  }
  expect(nonces.size).toBeGreaterThan(100);
});

test('a database in memory takes keys too', () => {
  const database = memory({ encryption: { seed: own.seed } });
  database.addEncryptionKey(other.publicKey);
  expect(database.listEncryptionKeys()).toHaveLength(2);
  database.keyspace('values', { encrypted: true }).set('a', 1);
  database.rotateDataKey({ now: true });
  expect(database.keyspace('values').get('a')).toBe(1);
});
