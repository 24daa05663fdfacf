/**
 * The section "Counters and batches" of the contract: counters.
 */
import { expect, test } from 'vitest';
import { expectCode, expectTypeError, memory, untyped } from './support.js';

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

test('a missing key counts from 0', () => {
  const keyspace = memory().keyspace('counters');
  expect(keyspace.incr('up')).toBe(1);
  expect(keyspace.decr('down')).toBe(-1);
  expect(keyspace.incr('by', 41)).toBe(41);
  expect(keyspace.incr('nothing', 0)).toBe(0);
  expect(keyspace.get('nothing')).toBe(0);
  expect(keyspace.typeOf('up')).toBe('integer');
});

test('incr and decr add and return the new value', () => {
  const keyspace = memory().keyspace('counters');
  keyspace.set('key', 10);
  expect(keyspace.incr('key', 5)).toBe(15);
  expect(keyspace.decr('key', 20)).toBe(-5);
  expect(keyspace.incr('key', -5n)).toBe(-10);
  expect(keyspace.decr('key', -10)).toBe(0);
  expect(keyspace.get('key')).toBe(0);
});

test('a counter passes from safe numbers to bigints and back', () => {
  const keyspace = memory().keyspace('counters');
  keyspace.set('key', Number.MAX_SAFE_INTEGER);
  expect(keyspace.incr('key')).toBe(2n ** 53n);
  expect(keyspace.incr('key')).toBe(2n ** 53n + 1n);
  expect(keyspace.decr('key', 2)).toBe(Number.MAX_SAFE_INTEGER);
  const asBigint = memory().keyspace('counters', { integers: 'bigint' });
  expect(asBigint.incr('key')).toBe(1n);
  expect(asBigint.decr('key', 3n)).toBe(-2n);
});

test('what is no integer is a type mismatch and stays as it is', () => {
  const keyspace = memory().keyspace('counters');
  for (const value of ['5', '', 0.5, -0, NaN, 2 ** 60, Uint8Array.of(5)]) {
    keyspace.set('key', value);
    for (const call of ['incr', 'decr'] as const) {
      const error = expectCode('ERR_MNEME_TYPE_MISMATCH', () => keyspace[call]('key'));
      expect(error.message).toContain('type mismatch');
    }
    expect(keyspace.get('key')).toStrictEqual(value);
  }
  keyspace.setFloat('key', 5);
  expectCode('ERR_MNEME_TYPE_MISMATCH', () => keyspace.incr('key'));
});

test('past int64 is an overflow and leaves the value', () => {
  const keyspace = memory().keyspace('counters');
  keyspace.set('top', INT64_MAX);
  expectCode('ERR_MNEME_INTEGER_OVERFLOW', () => keyspace.incr('top'));
  expectCode('ERR_MNEME_INTEGER_OVERFLOW', () => keyspace.incr('top', INT64_MAX));
  expectCode('ERR_MNEME_INTEGER_OVERFLOW', () => keyspace.decr('top', -1));
  expect(keyspace.get('top')).toBe(INT64_MAX);
  keyspace.set('bottom', INT64_MIN);
  expectCode('ERR_MNEME_INTEGER_OVERFLOW', () => keyspace.decr('bottom'));
  expectCode('ERR_MNEME_INTEGER_OVERFLOW', () => keyspace.incr('bottom', INT64_MIN));
  expect(keyspace.get('bottom')).toBe(INT64_MIN);
  expect(keyspace.incr('bottom', INT64_MAX)).toBe(-1);
  expect(keyspace.decr('top', INT64_MAX)).toBe(0);
});

test('decr by the lowest int64 is an overflow too', () => {
  const keyspace = memory().keyspace('counters');
  expectCode('ERR_MNEME_INTEGER_OVERFLOW', () => keyspace.decr('key', INT64_MIN));
  expect(keyspace.exists('key')).toBe(false);
  expect(keyspace.incr('key', INT64_MIN)).toBe(INT64_MIN);
});

test('a delta that is no integer is a TypeError and changes nothing', () => {
  const keyspace = memory().keyspace('counters');
  keyspace.set('key', 5);
  for (const delta of [1.5, NaN, Infinity, -Infinity, '1', null, true, {}]) {
    expectTypeError(() => keyspace.incr('key', untyped(delta)));
    expectTypeError(() => keyspace.decr('key', untyped(delta)));
    expectTypeError(() => keyspace.incr('missing', untyped(delta)));
  }
  expect(keyspace.get('key')).toBe(5);
  expect(keyspace.exists('missing')).toBe(false);
});

test('in a batch a counter counts on what the batch wrote', () => {
  const keyspace = memory().keyspace('counters');
  keyspace.set('key', 1);
  const seen = keyspace.batch((writer) => {
    writer.set('key', 100);
    const first = writer.incr('key');
    writer.set('fresh', 7);
    return [first, writer.incr('fresh'), writer.decr('missing'), keyspace.incr('key')];
  });
  expect(seen).toStrictEqual([101, 8, -1, 102]);
  expect(keyspace.getMany(['key', 'fresh', 'missing'])).toStrictEqual([102, 8, -1]);
});
