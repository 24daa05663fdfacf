/**
 * Files with encrypted keyspaces that somebody has changed who has no key: what is read is what was
 * written, or an error that says that it is not.
 *
 * Whoever changes a file can make all checksums right that are in the clear, up to the meta: these
 * are made anew. What is sealed is tried page by page as well, where a checksum hides nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Database, MnemeError, open } from 'mneme';
import { generateKeyPair } from 'mneme/crypto';
import { expect, test } from 'vitest';
import { KeyArea } from '../../dist/shared/memory/key-area.js';
import { createMemoryHandle, SharedMemory } from '../../dist/shared/memory/shared-memory.js';
import { initPage, stampPage } from '../../dist/shared/pages/page.js';
import { NonceSequence, PageCipher } from '../../dist/shared/pages/page-cipher.js';
import { systemRandom } from '../../dist/shared/system.js';
import { expectCode, openHere, temporaryPath } from '../../test/api/support.js';
import { announce, ENCRYPTION_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';
import { randomFrom } from '../crash/crash-states.js';
import {
  type Cell,
  cellsOf,
  META_AREA_BYTES,
  type Part,
  partsOf,
  seal,
} from '../damage/sealed-file.js';

const own = generateKeyPair();
const encryption = { seed: own.seed };
/** What a changed file may lead to besides right answers. */
const CODES: ReadonlySet<string> = new Set([
  ...['ERR_MNEME_CORRUPT', 'ERR_MNEME_NOT_A_DATABASE', 'ERR_MNEME_FORMAT_VERSION'],
  ...['ERR_MNEME_KEY_NOT_AUTHORIZED', 'ERR_MNEME_KEY_REQUIRED'],
  ...['ERR_MNEME_ENCRYPTION_MISMATCH', 'ERR_MNEME_TYPE_MISMATCH'],
]);

function fill(path: string): Buffer {
  const database = open(path, { encryption, pageSize: 4096 });
  const values = database.keyspace('values', { encrypted: true });
  for (let index = 0; index < 300; index++) values.set(`key ${index}`, `value ${index}`.repeat(5));
  values.set('long', 'long '.repeat(3000));
  values.sortedSet('set').add(1, 'a', 2, 'b');
  database.addEncryptionKey(generateKeyPair().publicKey);
  database.rotateDataKey();
  database.ftKeyspace('texts', { encrypted: true }).put('one', 'some words');
  database.close();
  return readFileSync(path);
}

/** Everything, as text; undefined for a keyspace that is not there. */
function contentOf(database: Database): string {
  const values = database.keyspace('values', { encrypted: true });
  const texts = database.ftKeyspace('texts', { encrypted: true });
  const all = [
    values.range().toArray(),
    values.sortedSet('set').rangeByRank(0, -1),
    texts.search('words'),
  ];
  return JSON.stringify(all);
}

/** What a changed file says; an error's code, when it is one of those that may be. */
function readChanged(path: string, file: Buffer): string {
  writeFileSync(path, file);
  let database: Database | undefined;
  try {
    database = open(path, { encryption, readonly: true, create: false });
    return contentOf(database);
  } catch (error) {
    if (error instanceof MnemeError && CODES.has(error.code)) return error.code;
    throw error;
  } finally {
    database?.close();
  }
}

test('a changed bit is seen, or changes nothing', { timeout: PROPERTY_TIMEOUT_MS }, () => {
  const path = temporaryPath();
  const original = fill(path);
  const content = contentOf(openHere(path, { encryption }));
  const random = randomFrom(SEED);
  let seen = 0;
  for (let round = 0; round < ENCRYPTION_COUNTS.tampered; round++) {
    const file = Buffer.from(original);
    const area = round % 4 === 0 ? META_AREA_BYTES : file.length - 2 * META_AREA_BYTES;
    const at = (round % 4 === 0 ? 0 : 2 * META_AREA_BYTES) + Math.floor(random() * area);
    file.writeUInt8(file.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at);
    const found = readChanged(path, file);
    if (!found.startsWith('ERR_')) expect(found).toBe(content);
    else seen++;
  }
  expect(seen).toBeGreaterThan(0);
  announce(`changed bits, ${seen} seen`, ENCRYPTION_COUNTS.tampered);
});

test('what is in the clear may be changed with all checksums made right, and that is seen', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  const path = temporaryPath();
  const original = fill(path);
  const random = randomFrom(SEED);
  const catalog = partsOf(original).filter(({ owner }) => owner === 'catalog');
  const codes: string[] = [];
  for (let round = 0; round < ENCRYPTION_COUNTS.tampered; round++) {
    const file = Buffer.from(original);
    const part = catalog[Math.floor(random() * catalog.length)] as Part;
    const cells = cellsOf(file, part);
    const { valueAt, valueLength } = cells[Math.floor(random() * cells.length)] as Cell;
    const at = valueAt + Math.floor(random() * valueLength);
    file.writeUInt8(file.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at);
    seal(file, part);
    file.copy(file, META_AREA_BYTES, 0, META_AREA_BYTES);
    codes.push(readChanged(path, file));
  }
  expect(codes.filter((code) => !code.startsWith('ERR_'))).toEqual([]);
  announce(`changed and sealed anew (${[...new Set(codes)].join(', ')})`, codes.length);
});

test('records of two keyspaces that were exchanged are seen', () => {
  const path = temporaryPath();
  const database = open(path, { encryption });
  for (const name of ['one', 'two']) database.keyspace(name, { encrypted: true }).set(name, name);
  database.close();
  const file = readFileSync(path);
  const [leaf] = partsOf(file).filter(({ owner }) => owner === 'catalog');
  const cells = cellsOf(file, leaf as Part).filter(({ keyFirstByte }) => keyFirstByte === 1);
  const [one, two] = cells as [Cell, Cell];
  expect([cells.length, one.valueLength]).toEqual([2, two.valueLength]);
  const record = Buffer.from(file.subarray(one.valueAt, one.valueAt + one.valueLength));
  file.copy(file, one.valueAt, two.valueAt, two.valueAt + two.valueLength);
  record.copy(file, two.valueAt);
  seal(file, leaf as Part);
  file.copy(file, META_AREA_BYTES, 0, META_AREA_BYTES);
  writeFileSync(path, file);
  const changed = openHere(path, { encryption });
  for (const name of ['one', 'two']) expectCode('ERR_MNEME_CORRUPT', () => changed.keyspace(name));
});

test('a page opens in its own place, level, keyspace and database only', () => {
  const memory = new SharedMemory(createMemoryHandle(4096, 2 ** 20));
  const keys = new KeyArea(memory);
  const [first, second] = [
    { epoch: 1, salt: 5 },
    { epoch: 2, salt: 6 },
  ];
  keys.addDataKey(first, systemRandom(32));
  keys.addDataKey(second, systemRandom(32));
  const [databaseId, keyspaceId] = [systemRandom(16), systemRandom(16)];
  const cipher = new PageCipher(memory, keys, databaseId, keyspaceId);
  const nonces = new NonceSequence(systemRandom);
  nonces.renew();
  const [page, sealed] = [memory.scratchAddress(0), memory.scratchAddress(1)];
  initPage(memory, page, 0);
  stampPage(memory, page, 77 as never, 9);
  memory.u8.fill(7, page + 100, page + 4000);
  const plain = memory.u8.slice(page, page + 4048);
  cipher.sealPage(page, { nonces, keyId: first }, sealed);
  const bytes = memory.u8.slice(sealed, sealed + 4096);
  expect(Buffer.from(bytes.buffer).equals(cipher.sealedPage(page))).toBe(true);
  const opens = (with_: PageCipher, id: number, level: number, content = bytes) => {
    memory.u8.set(content, sealed);
    return with_.openPage(sealed, id as never, level);
  };
  expect(opens(cipher, 77, 0)).toBeUndefined();
  expect(memory.u8.slice(sealed, sealed + 4048)).toEqual(plain);
  expect(opens(cipher, 78, 0)).toBe('its seal is broken');
  expect(opens(cipher, 77, 1)).toBe('its seal is broken');
  expect(opens(cipher, 77, 255)).toBe('its seal is broken');
  const elsewhere = [
    new PageCipher(memory, keys, databaseId, systemRandom(16)),
    new PageCipher(memory, keys, systemRandom(16), keyspaceId),
  ];
  for (const other of elsewhere) expect(opens(other, 77, 0)).toBe('its seal is broken');
  for (let at = 0; at < 4096; at += at < 4040 ? 101 : 1) {
    const changed = Uint8Array.from(bytes);
    changed[at] = (changed[at] as number) ^ 1;
    const problem = at < 4088 ? 'its seal is broken' : 'it is sealed with an unknown key';
    expect(opens(cipher, 77, 0, changed)).toBe(problem);
  }
  const renamed = Uint8Array.from(bytes);
  new DataView(renamed.buffer).setUint32(4088, 2, true);
  new DataView(renamed.buffer).setUint32(4092, 6, true);
  expect(opens(cipher, 77, 0, renamed)).toBe('its seal is broken');
});
