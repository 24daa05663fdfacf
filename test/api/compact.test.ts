/**
 * compact and backup at their edges: what goes over, what is refused, who is told, and what is left
 * when they end early. That a copy answers as its original does is a property test.
 */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CompactOptions, Database, Progress } from 'mneme';
import { expect, test } from 'vitest';
import {
  expectCode,
  expectTypeError,
  memory,
  openHere,
  steppedClock,
  temporaryDirectory,
  temporaryPath,
  thrownBy,
  untyped,
} from './support.js';

const KEYS = 25_000;
const METHODS = ['compact', 'backup'] as const;

let sparseBytes: Buffer | undefined;

/** A database of several commits' worth, half of it removed again. */
function sparse(): Database {
  sparseBytes ??= makeSparse();
  const path = temporaryPath();
  writeFileSync(path, sparseBytes);
  return openHere(path, { sync: 'none' });
}

function makeSparse(): Buffer {
  const database = openHere(temporaryPath(), { sync: 'none' });
  const keyspace = database.keyspace('a');
  keyspace.batch((batch) => {
    for (let key = 0; key < 2 * KEYS; key++) batch.set(nameOf(key), key);
  });
  keyspace.batch((batch) => {
    for (let key = 1; key < 2 * KEYS; key += 2) batch.del(nameOf(key));
  });
  database.close();
  return readFileSync(database.path);
}

function nameOf(key: number): string {
  return String(key).padStart(8, '0');
}

/** A path beside a database. */
function beside({ path }: Database, name = 'copy.mneme'): string {
  return join(dirname(path), name);
}

function filesBeside({ path }: Database): string[] {
  return readdirSync(dirname(path)).sort();
}

function invalidValue(action: () => unknown): void {
  const error = thrownBy(action);
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
}

for (const method of METHODS) {
  test(`${method} makes a small file of the same content and leaves the original`, () => {
    const database = sparse();
    const before = readFileSync(database.path);
    const target = beside(database);
    const { durationMs, ...result } = database[method](pathToFileURL(target));
    const bytesAfter = readFileSync(target).length;
    expect(result).toStrictEqual({ bytesBefore: before.length, bytesAfter, keys: KEYS });
    expect(durationMs).toBeGreaterThan(0);
    expect(database.stats().oldestReader).toBeUndefined();
    expect(bytesAfter).toBeLessThan(before.length / 2);
    expect(readFileSync(database.path).equals(before)).toBe(true);
    expect(filesBeside(database)).toStrictEqual(['copy.mneme', basename(database.path)]);
    const copy = openHere(target, { create: false });
    expect([...copy.keyspace('a').range()]).toStrictEqual([...database.keyspace('a').range()]);
    const { bloatRatio, fileSize, pageCount } = copy.stats();
    expect(bloatRatio).toBeLessThan(1.1);
    expect(fileSize).toBe(pageCount * copy.info().pageSize);
    expect(copy.info().createdAt).toStrictEqual(database.info().createdAt);
    expect(copy.verify()).toMatchObject({ ok: true, problems: [] });
    copy.keyspace('a').set('more', 1);
  });

  test(`${method} refuses a file that is there, unless it may take its place`, () => {
    const database = sparse();
    const target = beside(database);
    writeFileSync(target, 'not ours');
    mkdirSync(beside(database, 'folder'));
    for (const path of [target, beside(database, 'folder')]) {
      const error = thrownBy(() => database[method](path));
      expect(error).toBeInstanceOf(Error);
      expect(error).toMatchObject({ code: 'EEXIST', path });
    }
    expect(readFileSync(target, 'utf8')).toBe('not ours');
    expectCode('ERR_MNEME_IO', () => {
      database[method](beside(database, 'folder'), { overwrite: true });
    });
    database[method](target, { overwrite: true });
    expect(openHere(target).keyspace('a').count()).toBe(KEYS);
    expect(filesBeside(database)).toHaveLength(3);
  });

  test(`${method} takes the place of a file only, never of a pipe or a device`, () => {
    const database = sparse();
    const pipe = beside(database, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expectCode('ERR_MNEME_IO', () => database[method](pipe, { overwrite: true }));
    expect(thrownBy(() => database[method](pipe))).toMatchObject({ code: 'EEXIST' });
    expect(statSync(pipe).isFIFO()).toBe(true);
    expect(filesBeside(database)).toHaveLength(2);
  });

  test(`${method} onto the database itself is refused, whatever it is called`, () => {
    const database = sparse();
    const [symbolic, hard] = [beside(database, 'symbolic'), beside(database, 'hard')];
    symlinkSync(database.path, symbolic);
    linkSync(database.path, hard);
    const roundabout = join(dirname(database.path), '..', ...database.path.split('/').slice(-2));
    for (const path of [database.path, symbolic, hard, roundabout]) {
      invalidValue(() => database[method](path));
      invalidValue(() => database[method](path, { overwrite: true }));
    }
    expect(database.keyspace('a').count()).toBe(KEYS);
  });

  test(`${method} says of each argument what it has to be`, () => {
    const database = memory();
    const path = temporaryPath();
    expectTypeError(() => database[method](untyped(7)));
    expectTypeError(() => database[method](path, untyped(7)));
    expectTypeError(() => database[method](path, { overwrite: untyped('yes') }));
    expectTypeError(() => database[method](path, { onProgress: untyped('loud') }));
    invalidValue(() => database[method](''));
    invalidValue(() => database[method](':memory:'));
    const details = { cause: 'ENOENT' };
    const missing = join(dirname(path), 'none', 'copy.mneme');
    expect(expectCode('ERR_MNEME_IO', () => database[method](missing))).toMatchObject({ details });
    expect(readdirSync(dirname(path))).toStrictEqual([]);
  });

  test(`${method} is not possible within a batch, nor after close`, () => {
    const database = openHere(temporaryPath());
    const target = beside(database);
    database.batch(() => {
      expectCode('ERR_MNEME_BATCH_ACTIVE', () => database[method](target));
    });
    database.close();
    expectCode('ERR_MNEME_CLOSED', () => database[method](target));
    expect(existsSync(target)).toBe(false);
  });

  test(`${method} of an empty database, of one in memory and of one for reading`, () => {
    const directory = temporaryDirectory();
    memory().compact(join(directory, 'empty'));
    expect(openHere(join(directory, 'empty'), { create: false }).keyspaces()).toStrictEqual([]);
    const database = memory({ pageSize: 16384 });
    database.keyspace('a').set('key', 'value');
    database[method](join(directory, 'first'));
    const first = openHere(join(directory, 'first'), { readonly: true });
    first[method](join(directory, 'second'));
    const second = openHere(join(directory, 'second'));
    expect(second.keyspace('a').get('key')).toBe('value');
    expect(second.info().pageSize).toBe(16384);
  });
}

test('compact takes no place that somebody else has taken meanwhile', () => {
  const database = sparse();
  const target = beside(database);
  const onProgress = () => writeFileSync(target, 'quicker');
  expect(thrownBy(() => database.compact(target, { onProgress }))).toMatchObject({
    code: 'EEXIST',
  });
  expect(readFileSync(target, 'utf8')).toBe('quicker');
  expect(filesBeside(database)).toHaveLength(2);
});

test('compact tells of every 10,000 entries and of the check, up to the end', () => {
  const database = sparse();
  const told: Progress[] = [];
  database.compact(beside(database), { onProgress: (progress) => told.push(progress) });
  const copied = told.filter(({ phase }) => phase === 'copy');
  expect(copied.map(({ done }) => done)).toStrictEqual([0, 10_000, 20_000, 25_000]);
  expect(copied.every(({ total }) => total === KEYS)).toBe(true);
  const verified = told.slice(copied.length);
  expect(verified.every(({ phase }) => phase === 'verify')).toBe(true);
  expect(verified.at(-1)?.done).toBe(verified.at(-1)?.total);
});

test('compact ends with what its listener throws, and leaves nothing', () => {
  const database = sparse();
  const failure = Object.assign(new Error('no more'), { code: 'ENOSPC', syscall: 'write' });
  const target = beside(database);
  for (const phase of ['copy', 'verify']) {
    const onProgress = (progress: Progress) => {
      if (progress.phase === phase && progress.done > 0) throw failure;
    };
    expect(thrownBy(() => database.compact(target, { onProgress }))).toBe(failure);
    expect(filesBeside(database)).toHaveLength(1);
    database.keyspace('a').set(`after ${phase}`, 1);
    expect(database.verify().ok).toBe(true);
  }
  writeFileSync(target, 'old');
  const onProgress = () => {
    throw failure;
  };
  expect(thrownBy(() => database.compact(target, { overwrite: true, onProgress }))).toBe(failure);
  expect(readFileSync(target, 'utf8')).toBe('old');
  expect(filesBeside(database)).toHaveLength(2);
});

test('compact ends when its listener closes the database', () => {
  const database = sparse();
  const onProgress = ({ done }: Progress) => {
    if (done === 10_000) database.close();
  };
  expectCode('ERR_MNEME_CLOSED', () => database.compact(beside(database), { onProgress }));
  expect(filesBeside(database)).toHaveLength(1);
});

test('compact holds the state of its beginning, whatever its listener does', () => {
  const database = sparse();
  const before = [...database.keyspace('a').range()];
  let round = 0;
  const onProgress: CompactOptions['onProgress'] = ({ phase }) => {
    if (phase !== 'copy') return;
    database.keyspace('a').batch((batch) => {
      for (let key = 0; key < 2 * KEYS; key++) batch.set(nameOf(key), `new ${round}`);
    });
    database.dropKeyspace(`b ${round - 1}`);
    database.keyspace(`b ${round}`).set('key', round);
    if (round++ === 1) database.backup(beside(database, 'inner.mneme'));
  };
  database.compact(beside(database), { onProgress });
  const copy = openHere(beside(database));
  expect([...copy.keyspace('a').range()]).toStrictEqual(before);
  expect(copy.keyspaces()).toStrictEqual(['a']);
  const inner = openHere(beside(database, 'inner.mneme'));
  expect(inner.keyspace('a').get(nameOf(1))).toBe('new 1');
  expect(inner.keyspaces()).toStrictEqual(['a', 'b 1']);
  expect(database.verify().ok).toBe(true);
});

test("what compact has not finished is nobody's database", () => {
  const database = sparse();
  const side = beside(database, 'as-if-killed');
  let [refused, whole] = [0, 0];
  const onProgress = ({ phase }: Progress) => {
    const temporary = readdirSync(dirname(database.path)).find((name) => name.includes('.tmp-'));
    copyFileSync(beside(database, temporary), side);
    if (phase === 'copy') {
      expectCode('ERR_MNEME_CORRUPT', () => openHere(side, { create: false }));
      expectCode('ERR_MNEME_CORRUPT', () => openHere(side, { readonly: true }));
      refused++;
    } else {
      const copy = openHere(side, { readonly: true });
      expect(copy.keyspace('a').count()).toBe(KEYS);
      copy.close();
      whole++;
    }
  };
  database.compact(beside(database), { onProgress });
  expect(refused).toBe(4);
  expect(whole).toBeGreaterThan(1);
});

test('compact of a damaged file says so and leaves nothing', () => {
  const database = sparse();
  database.close();
  const bytes = readFileSync(database.path);
  for (let at = 140_000; at < bytes.length; at += 40_000) bytes.fill(0xa5, at, at + 64);
  writeFileSync(database.path, bytes);
  const damaged = openHere(database.path);
  expectCode('ERR_MNEME_CORRUPT', () => damaged.compact(beside(damaged)));
  expect(filesBeside(damaged)).toHaveLength(1);
});

test('compact leaves behind what has expired, and nothing else; backup keeps it', () => {
  const clock = steppedClock();
  const database = openHere(temporaryPath(), { clock: clock.read });
  const keyspace = database.keyspace('a');
  keyspace.set('gone', 'x'.repeat(100_000), { ttl: 1 });
  keyspace.vset('gone', [1, 2, 3]);
  keyspace.sortedSet('gone').add(1, 'member');
  keyspace.list('gone').rpush('element');
  keyspace.set('stays', 'value', { ttl: 10 });
  clock.now += 1000;
  expect(database.compact(beside(database)).keys).toBe(4);
  expect(database.backup(beside(database, 'backup')).keys).toBe(5);
  clock.now -= 1000;
  const copy = openHere(beside(database), { clock: clock.read }).keyspace('a');
  expect([copy.get('gone'), copy.get('stays'), copy.ttl('stays')]).toEqual([
    undefined,
    'value',
    10,
  ]);
  expect([...(copy.vget('gone') ?? [])]).toStrictEqual([1, 2, 3]);
  expect([copy.sortedSet('gone').card(), copy.list('gone').len()]).toStrictEqual([1, 1]);
  expect(copy.stats()).toMatchObject({ keys: 1, overflowPages: 0 });
  const backup = openHere(beside(database, 'backup'), { clock: clock.read }).keyspace('a');
  expect(backup.get('gone')).toBe('x'.repeat(100_000));
});

test('a keyspace without entries keeps what it was made with', () => {
  const database = openHere(temporaryPath());
  const [values, texts] = [database.keyspace('a'), database.ftKeyspace('t', { k1: 2 })];
  values.vset('key', [1, 2]);
  values.del('key');
  texts.put('id', 'text');
  texts.del('id');
  database.compact(beside(database));
  const copy = openHere(beside(database));
  expect(copy.keyspaces()).toStrictEqual(['a', 't']);
  expect(copy.keyspace('a').vdim()).toBe(2);
  expectCode('ERR_MNEME_DIMENSION_MISMATCH', () => copy.keyspace('a').vset('key', [1]));
  expectCode('ERR_MNEME_ANALYZER_MISMATCH', () =>
    copy.ftKeyspace('t', { analyzerName: 'other@1', analyzer: () => [] }),
  );
});
