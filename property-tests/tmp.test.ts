import fc from 'fast-check';
import { test } from 'vitest';
import { sequence } from './support/arbitrary-steps.js';
import { runContest } from './support/contest.js';

test('x', () => {
  let n = 0;
  fc.assert(
    fc.property(sequence, fc.constantFrom('full' as const, 'none' as const), (steps, mode) => {
      const t = performance.now();
      runContest(steps, { place: 'disk', pageSize: 4096, sync: mode });
      if (0)
        console.log(
          n++,
          mode,
          steps.length,
          (performance.now() - t).toFixed(0),
          steps.filter((s) => s.kind === 'reopen').length,
        );
    }),
    { seed: 5, numRuns: 150, endOnFailure: true },
  );
});
