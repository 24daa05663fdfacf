/**
 * Lies about free pages, one by one: each is found out before a page is given to two.
 */
import { afterAll, expect, test } from 'vitest';
import { toPageId } from '../../dist/shared/ids.js';
import { EngineRun } from '../crash/engine-run.js';
import { damageFile, readParts } from './damages.js';
import { HangWatch } from './in-one-thread.js';
import type { FreeChange } from './random-damage.js';
import { META_AREA_BYTES, type Part, seal } from './sealed-file.js';
import { deepKey, makeSmallFile } from './small-file.js';

const OWNERS_INDEX_OF_META = 10;
const BIRTH_LOW = 8;
const BIRTH_HIGH = 12;
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
  expect(withFreeLog({ when: 'old', taken: [], freed: [3, 2] })).toThrowError(cannotBeRead);
  expect(withFreeLog({ when: 'old', taken: [1, 1], freed: [] })).toThrowError(cannotBeRead);
  expect(withFreeLog({ when: 'old', taken: [], freed: [] })).not.toThrowError();
});

test('no page was freed by a transaction of the future', () => {
  expect(withFreeLog({ when: 'future', taken: [], freed: [60, 1] })).toThrowError(cannotBeRead);
  expect(withFreeLog({ when: 'new', taken: [], freed: [60, 1] })).not.toThrowError();
});

test('no page is freed twice, nor taken for what it is not', () => {
  const { engine } = new EngineRun(makeSmallFile(), 'full');
  engine.begin();
  const live = { pageId: toPageId(40), low: 1, high: 1 };
  engine.pages.freePages(live, 1, 0);
  expect(() => engine.pages.freePages(live, 1, 0)).toThrowError('it is free already');
  const page = engine.pages.create(0);
  const other = { pageId: page.pageId, low: 1, high: 1 };
  expect(() => engine.pages.writable(page.pageId, 1, 1, 0)).toThrowError('it is in use twice');
  expect(() => engine.pages.freePages(other, 1, 0)).toThrowError('it is in use twice');
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
  const run = new EngineRun(makeSmallFile(), 'full');
  const { pages, memory } = run.engine;
  run.engine.begin();
  for (let index = 0; index < memory.frameCount + 10; index++) {
    expect(() => pages.writable(toPageId(40), 1, 1, 0)).toThrowError('the checksum differs');
  }
  run.set('key', 'value', 0, 'new');
  run.commit();
  expect(run.get('key', 'new')).toBe('value');
});
