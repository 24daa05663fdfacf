/**
 * A commit that leaves no page behind but a longer file: what says that the file is longer must not
 * survive a power cut without the file's new end.
 */
import { expect, test } from 'vitest';
import { forEachCrash } from './crash-states.js';
import { EngineRun, emptyDatabase, OTHER_BOOT } from './engine-run.js';
import { recover } from './examination.js';

test.each([
  ['extents, written at once', 40, 9000, 50],
  ['leaves, never written', 400, 900, 5],
] as const)('a power cut while all is dropped leaves all of it or nothing: %s', (...sizes) => {
  const [, keyCount, valueLength, statesMin] = sizes;
  const image = emptyDatabase();
  const run = new EngineRun(image, 'full');
  run.engine.begin();
  run.set('key', 'value');
  run.commit();
  const before = run.content();
  run.file.acknowledge(1);
  const from = run.file.events.length;
  run.engine.begin();
  for (let index = 0; index < keyCount; index++) run.set(`key ${index}`, 'x'.repeat(valueLength));
  run.drop('a');
  run.commit();
  expect(run.content()).toBe('');
  image.rollBack(0);
  let states = 0;
  forEachCrash(image, run.file.events, { random: () => 0.5, from }, () => {
    expect([before, '']).toContain(recover(image, OTHER_BOOT).content);
    states++;
  });
  expect(states).toBeGreaterThan(statesMin);
});
