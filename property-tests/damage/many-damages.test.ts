/**
 * Damage that no checksum shows, done to a small file many times: whatever it is, the engine gives
 * an answer or a code, at once and in little memory.
 */
import { afterAll, expect, test } from 'vitest';
import { announce, DAMAGE_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';
import { randomFrom } from '../crash/crash-states.js';
import { damageFile, readParts } from './damages.js';
import { EngineExamination } from './engine-examination.js';
import { HangWatch } from './in-one-thread.js';
import { DamageChooser } from './random-damage.js';
import { makeSmallFile } from './small-file.js';

/** What the whole sweep may take of memory beyond what it starts with. */
const GROWTH_BYTES_MAX = 400 * 2 ** 20;
/** Of what can be done with a file, how much is done with each. */
const EXAMINED_SHARE = 0.15;
const MEMORY_LOOKS_EVERY = 1000;

const watch = new HangWatch();
afterAll(() => watch.end());

test('the small file has parts of every kind, and is sound', () => {
  const image = makeSmallFile();
  const parts = readParts(Buffer.from(image.bytes.subarray(0, image.size)));
  expect([...new Set(parts.map(({ owner }) => owner))].sort()).toEqual([
    ...['catalog', 'codes', 'dropped', 'expiry', 'free', 'keys', 'meta', 'originals', 'slots'],
    ...['values'],
  ]);
  const examination = new EngineExamination(image);
  examination.run();
  expect(examination.faults).toEqual([]);
  expect([...examination.codes]).toEqual([]);
});

test('damage under right checksums is an answer or a code', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  const image = makeSmallFile();
  const parts = readParts(Buffer.from(image.bytes.subarray(0, image.size)));
  const original = image.bytes.slice(0, image.size);
  const random = randomFrom(SEED);
  const chooser = new DamageChooser(random);
  const codes = new Map<string, number>();
  const residentMax = process.memoryUsage.rss() + GROWTH_BYTES_MAX;
  for (let run = 0; run < DAMAGE_COUNTS.engine; run++) {
    const chosen = chooser.damage();
    const title = `MNEME_SEED=${SEED}, file ${run}: ${JSON.stringify(chosen)}`;
    watch.begin(title);
    const mark = image.mark();
    damageFile(Buffer.from(image.bytes.buffer, 0, image.size), parts, chosen);
    const examination = new EngineExamination(image, EXAMINED_SHARE, random);
    examination.run();
    image.rollBack(mark);
    image.bytes.set(original);
    const known = examination.codes.size === 0 ? ['none'] : examination.codes;
    for (const code of known) codes.set(code, (codes.get(code) ?? 0) + 1);
    if (examination.faults.length > 0) expect(examination.faults, title).toEqual([]);
    if (run % MEMORY_LOOKS_EVERY !== 0) continue;
    expect(process.memoryUsage.rss(), 'bytes of memory').toBeLessThan(residentMax);
  }
  const counts = [...codes].map(([code, count]) => `${code} ${count}`).join(', ');
  announce(`sealed damage of the engine's file (${counts})`, DAMAGE_COUNTS.engine);
  expect(codes.get('ERR_MNEME_CORRUPT')).toBeGreaterThan(DAMAGE_COUNTS.engine / 10);
});
