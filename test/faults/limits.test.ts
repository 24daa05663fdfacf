/**
 * Real limits of a machine, not simulated ones: a disk that is full, a file that may not grow, no
 * descriptors left. Each gives the code of the contract, loses nothing, and passes.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openHere, temporaryDirectory, temporaryPath } from '../api/support.js';
import { type Ended, reportOf, run, runOnOwnDisk } from './program.js';

const DISK_BYTES = 4 * 2 ** 20;
const FILLER_BYTES = 10 ** 6;
/** What a child of a full place says when all is well, beside what differs. */
function expectNothingLost(ended: Ended): void {
  const report = reportOf(ended);
  const acknowledged = report['acknowledged'] as number;
  expect(acknowledged).toBeGreaterThan(20);
  expect(report['failure']).toMatch(/^ERR_MNEME_IO (ENOSPC|EFBIG)$/);
  expect(report['again']).toMatch(/^ERR_MNEME_IO (ENOSPC|EFBIG)$/);
  expect(report).toMatchObject({
    ...{ kept: acknowledged, snapshotKept: acknowledged, found: acknowledged + 20 },
    ...{ afterRoom: 'done', closing: 'done', problems: [] },
  });
}

for (const sync of ['full', 'none'] as const) {
  test(`a disk that is really full refuses a write and changes nothing, sync ${sync}`, () => {
    const disk = temporaryDirectory();
    const parameters = [join(disk, 'a.mneme'), join(disk, 'filler'), sync, `${FILLER_BYTES}`];
    const ended = runOnOwnDisk(disk, DISK_BYTES, '', 'fill-until-refused', ...parameters);
    if (ended !== undefined) expectNothingLost(ended);
  });

  // In blocks of 512 bytes; the odd ones end within a page.
  test.each([
    2500, 3777, 4001,
  ])(`a file that may have %i blocks refuses a commit whole, sync ${sync}`, (blocks) => {
    const path = temporaryPath();
    const limit = `ulimit -S -f ${blocks}`;
    expectNothingLost(run(limit, 'fill-until-refused', path, 'limit', sync));
    expect(openHere(path, { create: false }).verify()).toMatchObject({ ok: true, problems: [] });
  });
}

test('a database that cannot be created on a full disk leaves nothing behind', () => {
  const disk = temporaryDirectory();
  const ended = runOnOwnDisk(disk, 64 * 1024, '', 'create', join(disk, 'a.mneme'));
  if (ended === undefined) return;
  expect(reportOf(ended)).toStrictEqual({ failure: 'ERR_MNEME_IO ENOSPC', left: [] });
});

test('where there is no memory for the cache, opening says so and leaves nothing open', () => {
  const path = temporaryPath();
  openHere(path).keyspace('a').set('key', 'value');
  const report = reportOf(run('ulimit -v 40000000', 'open-large', path));
  const details = { reason: 'no memory for the cache', cacheSize: Math.floor(3.9 * 2 ** 30) };
  expect(report).toStrictEqual({ failure: { code: 'ERR_MNEME_IO', details }, leaked: 0 });
});

test.each([0, 2, 10])('without descriptors, %i given back, it reads and says why not', (spare) => {
  const path = temporaryPath();
  const database = openHere(path);
  database.keyspace('a').set('key', 'old');
  database.close();
  const report = reportOf(run('ulimit -n 128', 'open-many', path, `${spare}`));
  const { write, pin, ...rest } = report;
  const failure = 'ERR_MNEME_IO EMFILE';
  expect(rest).toStrictEqual({
    ...{ failure, creating: failure, read: 'old', readAgain: ['old'], late: 'late', ok: true },
  });
  expect([failure, 'done']).toContain(write);
  if (spare === 0) expect([write, pin]).toStrictEqual([failure, failure]);
  else expect([undefined, failure]).toContain(pin);
  expect(openHere(path).keyspace('a').get('key')).toBe('late');
});
