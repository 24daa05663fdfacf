/**
 * Copies of databases with encrypted keyspaces: as readable as the original, to the same people.
 */
import { readFileSync } from 'node:fs';
import { open } from 'mneme';
import { generateKeyPair } from 'mneme/crypto';
import { expect, test } from 'vitest';
import { expectCode, openHere, temporaryDirectory } from './support.js';

const CANARY = 'canary-0815';
const LONG = `${CANARY} `.repeat(100_000);
const [own, other] = [generateKeyPair(), generateKeyPair()];

function filled(path: string) {
  const database = openHere(path, { encryption: { seed: own.seed } });
  const values = database.keyspace('values', { encrypted: true, keys: 'text' });
  database.batch(() => {
    for (let index = 0; index < 2000; index++) values.set(`${CANARY} ${index}`, index);
    values.set('long', LONG);
    values.list('list').rpush(CANARY, LONG);
    values.sortedSet('set').add(1, CANARY);
    for (let index = 0; index < 50; index++) values.vset(`v${index}`, [index, 1, 2]);
    database.ftKeyspace('texts', { encrypted: true }).put('d', `a ${CANARY} text`);
    database.keyspace('plain').set('a', 1);
  });
  database.addEncryptionKey(other.publicKey);
  database.rotateDataKey();
  values.set('after', 1);
  return database;
}

test.each(['compact', 'backup'] as const)('%s keeps keyspaces sealed and key slots', (way) => {
  const folder = temporaryDirectory();
  const database = filled(`${folder}/original`);
  const slots = database.listEncryptionKeys().map(({ hex }) => hex);
  database[way](`${folder}/copy`);
  expect(readFileSync(`${folder}/copy`).includes(CANARY)).toBe(false);
  for (const { seed } of [own, other]) {
    const copy = openHere(`${folder}/copy`, { encryption: { seed } });
    const values = copy.keyspace('values', { encrypted: true });
    expect(values.count()).toBe(2002);
    expect(values.get(`${CANARY} 77`)).toBe(77);
    expect(values.get('long') === LONG).toBe(true);
    expect(values.list('list').range()).toEqual([CANARY, LONG]);
    expect(values.sortedSet('set').score(CANARY)).toBe(1);
    expect(values.vsearch([7, 1, 2], { topK: 1, metric: 'l2' })[0]?.key).toBe('v7');
    expect(copy.ftKeyspace('texts').search(CANARY)[0]?.key).toBe('d');
    expect(copy.listEncryptionKeys().map(({ hex }) => hex)).toEqual(slots);
    expect(copy.verify()).toMatchObject({ ok: true, problems: [] });
    values.set('after', 2);
    copy.close();
  }
  expectCode('ERR_MNEME_KEY_NOT_AUTHORIZED', () => {
    return open(`${folder}/copy`, { encryption: { seed: generateKeyPair().seed } });
  });
  const locked = openHere(`${folder}/copy`);
  expect(locked.keyspace('plain').get('a')).toBe(1);
  expectCode('ERR_MNEME_KEY_REQUIRED', () => locked.keyspace('values'));
});

test('what is encrypted cannot be copied without a key', () => {
  const folder = temporaryDirectory();
  filled(`${folder}/original`).close();
  const locked = openHere(`${folder}/original`);
  expectCode('ERR_MNEME_KEY_REQUIRED', () => locked.compact(`${folder}/copy`));
  expectCode('ERR_MNEME_KEY_REQUIRED', () => locked.backup(`${folder}/copy`));
  expectCode('ERR_MNEME_NOT_FOUND', () => open(`${folder}/copy`, { create: false }));
});
