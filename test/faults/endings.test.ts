/**
 * Programs and threads that end in the middle of a batch or a commit, however they do.
 */
import { expect, test } from 'vitest';
import { announce, KILL_ROUNDS, PROPERTY_TIMEOUT_MS, SEED } from '../../property-tests/counts.js';
import { openHere, temporaryPath } from '../api/support.js';
import { reportOf, run } from './program.js';

for (const sync of ['full', 'none'] as const) {
  for (const leaving of ['exit', 'abort'] as const) {
    test(`process.${leaving}() in a batch leaves nothing of it, sync ${sync}`, () => {
      const path = temporaryPath();
      const ended = run('ulimit -c 0', 'leave-in-batch', path, sync, leaving);
      if (leaving === 'exit') expect(ended).toMatchObject({ status: 7, stderr: '' });
      else expect(ended.signal).toBe('SIGABRT');
      const database = openHere(path, { create: false });
      const keyspace = database.keyspace('a');
      const kept = keyspace.count('kept ');
      expect(keyspace.count()).toBe(kept);
      // Without sync a process that is torn away may lose its last milliseconds, in whole commits.
      if (sync === 'full' || leaving === 'exit') expect(kept).toBe(300);
      const expected = Array.from({ length: kept }, (_, key) => key);
      expect([...keyspace.range()].map(([, value]) => value)).toStrictEqual(
        expected.sort((a, b) => (`kept ${a}` < `kept ${b}` ? -1 : 1)),
      );
      expect(database.verify()).toMatchObject({ ok: true, problems: [] });
    });
  }

  for (const who of ['thread', 'writer'] as const) {
    const title = `a ${who} terminated while it commits loses nothing acknowledged, sync ${sync}`;
    test(title, { timeout: PROPERTY_TIMEOUT_MS }, () => {
      announce(`${who} terminated with sync ${sync}`, KILL_ROUNDS);
      const parameters = [temporaryPath(), who, sync, `${KILL_ROUNDS}`, `${SEED}`];
      expect(reportOf(run('', 'threads-terminated', ...parameters))).toStrictEqual({
        problems: [],
      });
    });
  }
}
