/**
 * The table "Files, locks, keys, lifetime" of the contract: damaged files. Whatever the damage, an
 * answer is right or it is one of three codes: never a wrong one, a crash or a hang.
 */
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MnemeError, open } from 'mneme';
import { expect, test } from 'vitest';
import { xxHash64 } from '../../dist/kernels/scalar.js';
import { expectCode, openHere, temporaryDirectory } from './support.js';

const ENTRY_COUNT = 1500;
/** Where the meta page has the number of pages of the file. */
const PAGE_COUNT_OFFSET = 64;
/** Where the meta page has the page id of the extent with the free state. */
const FREE_EXTENT_OFFSET = 96;
const CODES = ['ERR_MNEME_NOT_A_DATABASE', 'ERR_MNEME_FORMAT_VERSION', 'ERR_MNEME_CORRUPT'];

function valueAt(index: number): string {
  return index % 100 === 0 ? `${index},`.repeat(2000) : `value ${index}`.repeat(3);
}

interface Damaged {
  readonly original: string;
  readonly copy: string;
}

/** A closed file of many pages, and where its damaged copies go. */
function damageable(): Damaged {
  const directory = temporaryDirectory();
  const original = join(directory, 'original.mneme');
  const database = openHere(original, { pageSize: 4096 });
  const keyspace = database.keyspace('a');
  for (let from = 0; from < ENTRY_COUNT; from += 500) {
    keyspace.batch((writer) => {
      for (let index = from; index < from + 500; index++) {
        writer.set(String(index).padStart(5, '0'), valueAt(index));
      }
    });
  }
  database.close();
  return { original, copy: join(directory, 'copy.mneme') };
}

/** 'whole' when every answer is right; otherwise the code that said it is not. */
function readAll(path: string): string {
  let database: ReturnType<typeof open> | undefined;
  try {
    database = open(path, { readonly: true });
    const keyspace = database.keyspace('a');
    const pairs = keyspace.range().toArray();
    const isRight = pairs.every(
      ([key, value], index) => key === String(index).padStart(5, '0') && value === valueAt(index),
    );
    if (!isRight || pairs.length !== ENTRY_COUNT) return 'a wrong answer';
    const isCounted = keyspace.count() === ENTRY_COUNT && keyspace.get('00100') === valueAt(100);
    return isCounted ? 'whole' : 'a wrong answer';
  } catch (error) {
    if (!(error instanceof MnemeError)) throw error;
    return error.code;
  } finally {
    database?.close();
  }
}

test('a file that is cut off is never answered from wrongly', () => {
  const { original, copy } = damageable();
  const size = readFileSync(original).length;
  expect(readAll(original)).toBe('whole');
  const lengths = [
    ...[0, 1, 7, 8, 64, 100, 4095, 4096, 65_535, 65_536, 65_537, 131_071, 131_072, 135_168],
    ...[size - 4096, size - 1, Math.floor(size / 2), Math.floor(size / 3)],
  ];
  const found = new Set<string>();
  for (const length of lengths) {
    copyFileSync(original, copy);
    truncateSync(copy, length);
    const result = readAll(copy);
    expect(['whole', ...CODES]).toContain(result);
    if (length <= 131_072) expect(result).not.toBe('whole');
    found.add(result);
  }
  expect(found).toContain('ERR_MNEME_NOT_A_DATABASE');
  expect(found).toContain('ERR_MNEME_CORRUPT');
});

test('a file that lost the end of its last page is refused before anything is read', () => {
  const { original, copy } = damageable();
  const pageCount = readFileSync(original).readUInt32LE(PAGE_COUNT_OFFSET);
  const end = pageCount * 4096;
  copyFileSync(original, copy);
  truncateSync(copy, end);
  expect(readAll(copy)).toBe('whole');
  truncateSync(copy, end - 1);
  for (const options of [{ readonly: true }, {}]) {
    const { details } = expectCode('ERR_MNEME_CORRUPT', () => open(copy, options));
    expect(details['page']).toBe(pageCount - 1);
  }
});

test('a file with any one byte changed is never answered from wrongly', () => {
  const { original, copy } = damageable();
  const bytes = readFileSync(original);
  const found = new Map<string, number>();
  const positions = [
    ...Array.from({ length: 64 }, (_, index) => index),
    ...Array.from({ length: 64 }, (_, index) => 65_536 + index),
    ...Array.from({ length: 200 }, (_, index) => 131_072 + index * 1999),
  ];
  for (const position of positions) {
    if (position >= bytes.length) continue;
    const damaged = Buffer.from(bytes);
    damaged[position]! ^= 0x10;
    writeFileSync(copy, damaged);
    const result = readAll(copy);
    expect(['whole', ...CODES]).toContain(result);
    found.set(result, (found.get(result) ?? 0) + 1);
  }
  expect(found.get('ERR_MNEME_CORRUPT')).toBeGreaterThan(20);
});

const HOLES_COUNT = 18_000;

test('a file whose list of free pages is damaged is read, and refuses every write alike', () => {
  const { original, copy } = damageable();
  const database = openHere(original);
  // Every other leaf is replaced: more holes than the meta page has room to tell of.
  for (const step of [1, 8]) {
    database.keyspace('holes').batch((writer) => {
      for (let index = 0; index < HOLES_COUNT; index += step) {
        writer.set(String(index).padStart(8, '0'), `${step}`.padEnd(990, 'h'));
      }
    });
  }
  database.close();
  const bytes = readFileSync(original);
  const extent = bytes.readUInt32LE(FREE_EXTENT_OFFSET) * 4096;
  expect(extent).toBeGreaterThan(0);
  bytes[extent]! ^= 0xff;
  writeFileSync(copy, bytes);
  const damaged = openHere(copy, { cacheSize: 2 ** 20 });
  for (let round = 0; round < 300; round++) {
    expectCode('ERR_MNEME_CORRUPT', () => damaged.keyspace('a').set('key', 'value'));
  }
  expect(damaged.keyspace('a').get('00001')).toBe(valueAt(1));
  damaged.close();
  expect(Buffer.compare(readFileSync(copy).subarray(131_072), bytes.subarray(131_072))).toBe(0);
});

test('a file of a newer format is refused, to read and to write, and stays as it is', () => {
  const { original, copy } = damageable();
  const bytes = readFileSync(original);
  const version = bytes.readUInt32LE(8);
  // Its checksum covers the version; without a new one it is damaged besides, and still newer.
  for (const isSealed of [true, false]) {
    for (const slots of [[0], [65_536], [0, 65_536]]) {
      const newer = Buffer.from(bytes);
      for (const slot of slots) {
        newer.writeUInt32LE(version + 1, slot + 8);
        if (isSealed) sealMeta(newer, slot);
      }
      // A damaged slot is nothing to go by as long as the other one is whole.
      const isReadable = !isSealed && slots.length === 1;
      writeFileSync(copy, newer);
      for (const options of [{ readonly: true }, {}, { create: false }]) {
        if (isReadable) open(copy, { readonly: true }).close();
        else expectCode('ERR_MNEME_FORMAT_VERSION', () => open(copy, options));
        expect(Buffer.compare(readFileSync(copy), newer)).toBe(0);
      }
    }
  }
});

/** Writes the checksum that a meta has at its end. */
function sealMeta(file: Buffer, slot: number): void {
  const length = file.readUInt32LE(slot + 12);
  const seed = file.readBigUInt64LE(slot + 24);
  const content = Uint8Array.from(file.subarray(slot, slot + length - 8));
  const sum = xxHash64(new DataView(content.buffer), seed) & (2n ** 63n - 1n);
  file.writeBigUInt64LE(sum, slot + length - 8);
}

test('pages that have changed places are noticed', () => {
  const { original, copy } = damageable();
  const bytes = readFileSync(original);
  const pageCount = Math.floor((bytes.length - 131_072) / 4096);
  let noticed = 0;
  for (let page = 0; page + 1 < pageCount; page += 7) {
    const damaged = Buffer.from(bytes);
    const at = 131_072 + page * 4096;
    damaged.set(bytes.subarray(at, at + 4096), at + 4096);
    damaged.set(bytes.subarray(at + 4096, at + 8192), at);
    writeFileSync(copy, damaged);
    const result = readAll(copy);
    expect(['whole', 'ERR_MNEME_CORRUPT']).toContain(result);
    if (result !== 'whole') noticed += 1;
  }
  expect(noticed).toBeGreaterThan(5);
});

test('both starts of the file lost is damage or no database, never a fresh one', () => {
  const { original, copy } = damageable();
  for (const fill of [0x00, 0xff]) {
    const damaged = readFileSync(original);
    damaged.fill(fill, 64, 65_536);
    damaged.fill(fill, 65_536 + 64, 131_072);
    damaged.fill(fill, 8, 64);
    damaged.fill(fill, 65_536 + 8, 65_536 + 64);
    writeFileSync(copy, damaged);
    for (const options of [{}, { readonly: true }]) {
      let code: string | undefined;
      try {
        open(copy, options).close();
      } catch (error) {
        code = error instanceof MnemeError ? error.code : String(error);
      }
      expect(CODES).toContain(code);
      expect(Buffer.compare(readFileSync(copy), damaged)).toBe(0);
    }
  }
});

test('damage is reported with its page, and verify finds it without throwing', () => {
  const { original, copy } = damageable();
  const bytes = readFileSync(original);
  let checked = 0;
  for (let at = 131_072 + 2000; at < bytes.length; at += 3 * 4096) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0xff;
    writeFileSync(copy, damaged);
    if (readAll(copy) !== 'ERR_MNEME_CORRUPT') continue;
    const database = openHere(copy, { readonly: true });
    const report = database.verify();
    expect(report.ok).toBe(false);
    expect(report.problems.length).toBeGreaterThan(0);
    expect(report.problems[0]).toMatchObject({
      page: expect.any(Number) as number,
      message: expect.any(String) as string,
    });
    const error = expectCode('ERR_MNEME_CORRUPT', () => {
      database.keyspace('a').range().toArray();
    });
    expect(error.details['page']).toStrictEqual(expect.any(Number));
    database.close();
    checked += 1;
  }
  expect(checked).toBeGreaterThan(5);
});
