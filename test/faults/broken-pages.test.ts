/**
 * Pages that are broken on the disk: `verify` names each of them with its keyspace, and what does
 * not need them is read as before.
 */
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { expectCode, openHere, temporaryPath } from '../api/support.js';

const PAGE_BYTES = 4096;
/** Before this page there are the metas. */
const DATA_START = 32;
const KEYS = 2000;

/** A closed file of three keyspaces whose values say whose they are. */
function writtenFile(): string {
  const path = temporaryPath();
  const database = openHere(path, { pageSize: PAGE_BYTES, cacheSize: 2 ** 20 });
  for (const name of ['first', 'second', 'third']) {
    database.keyspace(name).batch((writer) => {
      for (let key = 0; key < KEYS; key++) {
        writer.set(String(key).padStart(6, '0'), `<${name} ${key}>`.repeat(5));
      }
      writer.set('long', `<${name} long>`.repeat(20_000));
    });
  }
  database.keyspace('a name that is only in the catalog').set('key', 1);
  database.close();
  return path;
}

/** The pages in which a text stands. */
function pagesWith(path: string, text: string): number[] {
  const bytes = readFileSync(path);
  const pages = new Set<number>();
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
    pages.add(Math.floor(at / PAGE_BYTES));
  }
  return [...pages];
}

function breakPage(path: string, page: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  const offset = page * PAGE_BYTES + 2000;
  readSync(file, byte, 0, 1, offset);
  writeSync(file, Uint8Array.of((byte[0] as number) ^ 0x20), 0, 1, offset);
  closeSync(file);
}

for (const readonly of [true, false]) {
  const how = readonly ? 'for reading' : 'for writing';
  test(`a broken page of one keyspace leaves the others readable, opened ${how}`, () => {
    const path = writtenFile();
    const [page] = pagesWith(path, '<second 1000>');
    breakPage(path, page as number);
    const database = openHere(path, { readonly });
    const broken = database.keyspace('second');
    const { details } = expectCode('ERR_MNEME_CORRUPT', () => broken.get('001000'));
    expect(details).toMatchObject({ page });
    expectCode('ERR_MNEME_CORRUPT', () => broken.range().toArray());
    expect(broken.get('000000')).toBe('<second 0>'.repeat(5));
    for (const name of ['first', 'third']) {
      const pairs = database.keyspace(name).range().toArray();
      expect(pairs).toHaveLength(KEYS + 1);
      for (const [key, value] of pairs) {
        if (key !== 'long') expect(value).toBe(`<${name} ${Number(key)}>`.repeat(5));
      }
    }
    const report = database.verify();
    expect(report.ok).toBe(false);
    expect(report.problems[0]).toMatchObject({ page, keyspace: 'second' });
    for (const { keyspace } of report.problems) expect(keyspace).toBe('second');
    if (readonly) return;
    database.keyspace('third').set('written', 'after');
    expect(database.keyspace('third').get('written')).toBe('after');
  });

  test(`broken pages of two keyspaces and of a long value are all named, opened ${how}`, () => {
    const path = writtenFile();
    const [one] = pagesWith(path, '<first 1500>');
    const [other] = pagesWith(path, '<third 7>');
    const long = pagesWith(path, '<second long>');
    for (const page of [one, other, long[3]]) breakPage(path, page as number);
    const { problems } = openHere(path, { readonly }).verify();
    const named = problems.map(({ page, keyspace }) => `${keyspace} ${page}`);
    expect(named).toContain(`first ${one}`);
    expect(named).toContain(`third ${other}`);
    // A long value is named by its first page.
    expect(named).toContain(`second ${long[0]}`);
    expect(new Set(problems.map(({ keyspace }) => keyspace)).size).toBe(3);
  });

  test(`a broken catalog is a problem that is told, opened ${how}`, () => {
    const path = writtenFile();
    const catalogs = pagesWith(path, 'only in the catalog').filter((page) => page >= DATA_START);
    expect(catalogs.length).toBeGreaterThan(0);
    for (const page of catalogs) breakPage(path, page);
    const database = openHere(path, { readonly });
    expectCode('ERR_MNEME_CORRUPT', () => database.keyspace('first').get('000000'));
    if (!readonly) return; // a writer needs the catalog: it says what is wrong with it
    const { ok, problems } = database.verify();
    expect(ok).toBe(false);
    expect(problems.some(({ message }) => message.includes('catalog'))).toBe(true);
  });
}

for (const readonly of [true, false]) {
  const may = readonly ? 'read' : 'read and write';
  test(`progress rises from nothing to all, and who is told may ${may}, and close`, () => {
    const path = writtenFile();
    const database = openHere(path, { readonly, cacheSize: 2 ** 20, sync: 'none' });
    const total = database.stats().pageCount;
    const first = database.keyspace('first');
    const seen: number[] = [];
    const report = database.verify({
      onProgress: (progress) => {
        seen.push(progress.done);
        expect(progress).toStrictEqual({ done: progress.done, total, phase: 'verify' });
        if (!readonly) {
          first.delRange({ prefix: `0010${seen.length}` });
          first.set('during', 'x'.repeat(5000 * seen.length));
        }
        expect(first.get('000007')).toBe('<first 7>'.repeat(5));
      },
    });
    expect(report).toMatchObject({ ok: true, problems: [] });
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(total);
    expect(seen).toStrictEqual([...seen].sort((a, b) => a - b));
    expect(seen.length).toBeGreaterThanOrEqual(3);
    expect(database.verify().ok).toBe(true);
    const close = ({ done }: { done: number }) => {
      if (done > 0) database.close();
    };
    expectCode('ERR_MNEME_CLOSED', () => database.verify({ onProgress: close }));
    expect(openHere(path).verify().ok).toBe(true);
  });
}
