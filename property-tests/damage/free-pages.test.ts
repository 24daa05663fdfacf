/**
 * Lies about free pages, one by one: each is found out before a page is given to two.
 */
import { afterAll, expect, test } from 'vitest';
import { EngineRun } from '../crash/engine-run.js';
import { damageFile, readParts } from './damages.js';
import { HangWatch } from './in-one-thread.js';
import type { FreeChange } from './random-damage.js';
import { META_AREA_BYTES, type Part, seal } from './sealed-file.js';
import { deepKey, makeSmallFile } from './small-file.js';

const OWNERS_INDEX_OF_META = 10;
const BIRTH_LOW = 8;
const BIRTH_HIGH = 12;
const META_TXN = 54;
const watch = new HangWatch();
afterAll(() => watch.end());

/** The small file with a free log of our own. */
function withFreeLog(log: Omit<FreeChange, 'kind'>): () => EngineRun {
  const image = makeSmallFile();
  const file = Buffer.from(image.bytes.buffer, 0, image.size);
  const changes = [{ kind: 'free', ...log } as const];
  damageFile(file, readParts(file), {
    ...{ owner: OWNERS_INDEX_OF_META, part: 0, changes, oneMeta: false },
  });
  return () => new EngineRun(image, 'full');
}

/** The small file with one part of it changed and sealed. */
function changed(owner: Part['owner'], change: (file: Buffer, part: Part) => void): EngineRun {
  const image = makeSmallFile();
  const file = Buffer.from(image.bytes.buffer, 0, image.size);
  const part = readParts(file).find((each) => each.owner === owner && each.kind !== 'extent');
  if (part === undefined) throw new Error(`the file has a part of ${owner}`);
  change(file, part);
  seal(file, part);
  file.copy(file, META_AREA_BYTES, 0, META_AREA_BYTES);
  return new EngineRun(image, 'full');
}

const cannotBeRead = expect.objectContaining({ code: 'ERR_MNEME_CORRUPT' });

test('free pages lie behind the metas', () => {
  expect(withFreeLog({ isOld: true, taken: [], freed: [3, 2] })).toThrowError(cannotBeRead);
  expect(withFreeLog({ isOld: true, taken: [1, 1], freed: [] })).toThrowError(cannotBeRead);
  expect(withFreeLog({ isOld: true, taken: [], freed: [] })).not.toThrowError();
});

test('no page was freed by a transaction of the future', () => {
  const free = (file: Buffer, meta: Part): void => {
    // The log names the transaction of its meta, which is now an older one.
    file.writeUIntLE(file.readUIntLE(meta.start + META_TXN, 6) - 1, meta.start + META_TXN, 6);
  };
  const image = makeSmallFile();
  const file = Buffer.from(image.bytes.buffer, 0, image.size);
  const changes = [{ kind: 'free', isOld: false, taken: [], freed: [60, 1] } as const];
  damageFile(file, readParts(file), {
    ...{ owner: OWNERS_INDEX_OF_META, part: 0, changes, oneMeta: false },
  });
  const [meta] = readParts(file);
  if (meta === undefined) throw new Error('a file has a meta');
  free(file, meta);
  seal(file, meta);
  file.copy(file, META_AREA_BYTES, 0, META_AREA_BYTES);
  expect(() => new EngineRun(image, 'full')).toThrowError(cannotBeRead);
});

test.each([
  [
    'before the first transaction',
    (file: Buffer, at: number) => file.writeInt32LE(-14, at + BIRTH_HIGH),
  ],
  ['in the future', (file: Buffer, at: number) => file.writeInt32LE(10 ** 6, at + BIRTH_LOW)],
])('a page that was born %s is not freed', (title, write) => {
  watch.begin(title);
  const run = changed('catalog', (file, leaf) => void write(file, leaf.start));
  run.engine.begin();
  run.set(deepKey(1), 'new', 0, 'deep');
  expect(() => run.commit()).toThrowError('no transaction made it');
});

test('pages that cannot be read cost no frame of the cache', () => {
  watch.begin('many writes that meet a page which cannot be read');
  const run = changed('values', (file, node) => void file.writeUInt16LE(0, node.start + 2));
  const tries = run.engine.memory.frameCount + 10;
  let failed = 0;
  for (let index = 0; index < tries; index++) {
    run.engine.begin();
    try {
      run.deleteRange('', undefined, 'deep');
      run.set('key', 'value', 0, 'deep');
      run.commit();
    } catch {
      failed++;
    }
    if (run.engine.isOpen) run.engine.abort();
  }
  expect(failed).toBe(tries);
  run.engine.begin();
  run.set('key', 'value', 0, 'new');
  run.commit();
  expect(run.get('key', 'new')).toBe('value');
});
