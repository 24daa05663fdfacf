/**
 * Damage that no checksum shows: parts of a file are changed and sealed anew, and the file is used.
 * Whatever the damage, there is an answer or a code: no crash, no hang, no error from within.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { announce, DAMAGE_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';
import { randomFrom } from '../crash/crash-states.js';
import { damagedCopy, readParts } from './damages.js';
import { Examination } from './examine.js';
import { makeFixture } from './fixture.js';
import { HangWatch, writeOnThisThread } from './in-one-thread.js';
import { DamageChooser } from './random-damage.js';

/** What the whole sweep may take of memory beyond what it starts with. */
const GROWTH_BYTES_MAX = 600 * 2 ** 20;

const directory = mkdtempSync(join(tmpdir(), 'mneme-damage-'));
const watch = new HangWatch();

beforeAll(writeOnThisThread);
afterAll(async () => {
  await watch.end();
  rmSync(directory, { recursive: true });
});

test.each([
  ['of a small file', false, DAMAGE_COUNTS.small],
  ['of a large file', true, DAMAGE_COUNTS.large],
] as const)(
  'damage under right checksums %s is an answer or a code',
  {
    timeout: PROPERTY_TIMEOUT_MS,
  },
  (title, isLarge, numRuns) => {
    const original = makeFixture(join(directory, `original ${title}`), isLarge);
    const parts = readParts(original);
    const path = join(directory, 'damaged');
    const codes = new Map<string, number>();
    const residentMax = process.memoryUsage.rss() + GROWTH_BYTES_MAX;
    const chooser = new DamageChooser(randomFrom(SEED));
    for (let run = 0; run < numRuns; run++) {
      const chosen = chooser.damage();
      watch.begin(`MNEME_SEED=${SEED} ${JSON.stringify(chosen)}`);
      writeFileSync(path, damagedCopy(original, parts, chosen));
      const examination = new Examination(path);
      examination.run();
      for (const code of examination.codes) codes.set(code, (codes.get(code) ?? 0) + 1);
      expect(examination.faults, `MNEME_SEED=${SEED} ${JSON.stringify(chosen)}`).toEqual([]);
      expect(process.memoryUsage.rss(), 'bytes of memory').toBeLessThan(residentMax);
    }
    announce(`sealed damage ${title}`, numRuns);
    process.stdout.write(`${[...codes].map(([code, count]) => `${code} ${count}`).join(', ')}\n`);
    expect(codes.get('ERR_MNEME_CORRUPT')).toBeGreaterThan(numRuns / 10);
  },
);

test('the file that is damaged has parts of every kind', () => {
  const parts = readParts(makeFixture(join(directory, 'whole'), true));
  const owners = new Set(parts.map(({ owner }) => owner));
  expect([...owners].sort()).toEqual([
    ...['catalog', 'codes', 'dropped', 'elements', 'expiry', 'forwards', 'free', 'keys', 'list'],
    ...['members', 'meta', 'names', 'numbers', 'originals', 'pending', 'postings', 'ranks'],
    ...['slots', 'terms', 'values'],
  ]);
  const file = join(directory, 'untouched');
  writeFileSync(file, makeFixture(join(directory, 'whole too'), true));
  const examination = new Examination(file);
  examination.run();
  expect(examination.faults).toEqual([]);
  expect([...examination.codes]).toEqual(['ERR_MNEME_TYPE_MISMATCH']);
});
