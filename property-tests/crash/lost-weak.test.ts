/**
 * A sync that fails with a weak state in the file, whose pages the system takes for written from
 * then on: whoever opens the file next must not build on them.
 */
import { expect, test } from 'vitest';
import { BOOT, EngineRun, emptyDatabase, OTHER_BOOT } from './engine-run.js';
import { inspect } from './examination.js';

test('what was written behind before a failed sync is not gone on from', () => {
  const image = emptyDatabase();
  const first = new EngineRun(image, 'none');
  first.engine.begin();
  first.set('key', 'lost');
  first.commit();
  first.engine.writeBehind();
  first.file.syncFault = () => 'marks clean';
  const failure = expect.objectContaining({ code: 'ERR_MNEME_IO' });
  expect(() => first.engine.sync()).toThrowError(failure);
  first.file.syncFault = () => undefined;
  const second = new EngineRun(first.file, 'full', BOOT);
  second.engine.begin();
  second.set('other', 'acknowledged', 0, 'b');
  second.commit();
  first.file.cutPower();
  expect(inspect(image, OTHER_BOOT)).toBe('b other 0 acknowledged');
});
