/**
 * Arbitrary sequences of steps, weighted so that a database grows, churns and shrinks.
 */
import fc from 'fast-check';
import { KEYSPACE_COUNTS } from '../counts.js';
import {
  bounds,
  counterKey,
  delta,
  float,
  integer,
  key,
  prefix,
  range,
  seconds,
  setting,
  textOrBytes,
} from './arbitrary-specs.js';
import { type BatchStep, type InnerStep, KEYSPACES, type Stage, type Step } from './steps.js';

const target = {
  keyspace: fc.nat(KEYSPACES.length - 1),
  isFresh: fc.boolean(),
};

const slot = fc.nat(1);

function only<const Kind extends string>(...kinds: Kind[]): fc.Arbitrary<Kind> {
  return fc.constantFrom(...kinds);
}

const set = fc
  .record({ kind: only('set'), ...target, setting })
  .map(({ setting: given, ...rest }) => ({ ...rest, ...given }));

const otherWrite = fc.oneof(
  fc.record({ kind: only('setBytes'), ...target, key, value: textOrBytes }),
  fc.record({ kind: only('setInteger'), ...target, key: counterKey, value: integer }),
  fc.record({ kind: only('setFloat'), ...target, key, value: float }),
  fc.record({ kind: only('incr', 'decr'), ...target, key: counterKey, delta }),
  fc.record({ kind: only('incr', 'decr'), ...target, key: counterKey, delta }),
);

const removal = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: only('del'), ...target, key }) },
  { weight: 2, arbitrary: fc.record({ kind: only('delRange'), ...target, bounds }) },
);

/** The families of the other steps again, so that both meet the same keys. */
const numbered = fc.constantFrom(
  { unit: 'user:', repeat: 1 },
  { unit: 'user:', repeat: 2 },
  { unit: 'é', repeat: 120 },
  { unit: 'p', repeat: 1019 },
  { unit: '', repeat: 0 },
);

/** Small values make wide leaves, larger ones many of them; two and a half thousand one each. */
const fill = fc.record({
  kind: only('fill'),
  ...target,
  family: numbered,
  from: fc.nat(60),
  count: fc.integer({ min: 1, max: 250 }),
  valueBytes: fc.constantFrom(0, 5, 30, 120, 400, 900, 2500),
  ttl: fc.option(seconds, { nil: undefined, freq: 4 }),
});

const prune = fc.record({
  kind: only('prune'),
  ...target,
  family: numbered,
  from: fc.nat(60),
  count: fc.integer({ min: 1, max: 300 }),
  every: fc.integer({ min: 1, max: 4 }),
});

const expiring = fc.oneof(
  fc.record({
    kind: only('expire'),
    ...target,
    key,
    seconds: fc.oneof({ weight: 5, arbitrary: seconds }, fc.constantFrom(0, -1, NaN)),
  }),
  fc.record({ kind: only('persist'), ...target, key }),
  fc.record({ kind: only('purgeKeyspace'), ...target }),
  fc.record({ kind: only('purgeDatabase') }),
);

const stage: fc.Arbitrary<Stage> = fc.oneof(
  fc.record({ kind: only('take', 'drop'), count: fc.nat(20) }),
  fc.record({ kind: only('map', 'filter') }),
);

const fraction = fc.constantFrom(0, 0.13, 0.25, 0.37, 0.5, 0.66, 0.8, 0.93, 0.99);

const bound = fc.option(key, { nil: undefined, freq: 3 });

const read = fc.oneof(
  fc.record({ kind: only('get', 'exists', 'typeOf', 'ttl', 'getAsNumber'), ...target, key }),
  fc.record({ kind: only('getMany'), ...target, keys: fc.array(key, { maxLength: 6 }) }),
  fc.record({
    kind: only('count'),
    ...target,
    prefix: fc.option(prefix, { nil: undefined, freq: 4 }),
  }),
  fc.record({ kind: only('range'), ...target, range }),
  fc.record({ kind: only('rangePair'), ...target, start: bound, end: bound }),
  fc.record({
    kind: only('chain'),
    ...target,
    range,
    stages: fc.array(stage, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ kind: only('probe'), ...target, fraction }),
  fc.record({ kind: only('probe'), ...target, fraction }),
  fc.record({ kind: only('stats'), ...target }),
  fc.record({ kind: only('keyspaces') }),
);

const iteration = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: only('openIterator'), ...target, slot, range }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: only('advance'), slot, count: fc.constantFrom(1, 2, 7, 500) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: only('closeIterator'), slot }) },
);

const drop = fc.record({ kind: only('dropKeyspace'), keyspace: target.keyspace });

const { inner } = fc.letrec<{ inner: InnerStep; batch: BatchStep }>((tie) => ({
  inner: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 10, arbitrary: set },
    { weight: 6, arbitrary: otherWrite },
    { weight: 5, arbitrary: removal },
    { weight: 4, arbitrary: fill },
    { weight: 3, arbitrary: prune },
    { weight: 3, arbitrary: expiring },
    { weight: 14, arbitrary: read },
    { weight: 6, arbitrary: iteration },
    { weight: 1, arbitrary: drop },
    { weight: 1, arbitrary: fc.record({ kind: only('sync') }) },
    { weight: 5, arbitrary: tie('batch') },
  ),
  batch: fc.record({
    kind: only('batch'),
    keyspace: fc.option(target.keyspace, { nil: undefined, freq: 1 }),
    steps: fc.array(tie('inner'), { maxLength: KEYSPACE_COUNTS.batchStepsMax, size: 'max' }),
    ending: only('return', 'return', 'return', 'throw', 'throw', 'promise'),
  }),
}));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 40, arbitrary: inner },
  {
    weight: 4,
    arbitrary: fc.record({ kind: only('tick'), ms: fc.constantFrom(1, 124, 125, 500, 1000, 9000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: only('reopen'), sync: only('full', 'none') }) },
  { weight: 1, arbitrary: fc.record({ kind: only('verify') }) },
);

/** Without bias: fast-check would otherwise make half of the sequences short. */
export const sequence: fc.Arbitrary<Step[]> = fc.noBias(
  fc.array(step, { maxLength: KEYSPACE_COUNTS.stepsMax, size: 'max' }),
);
