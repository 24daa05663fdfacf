/**
 * Arbitrary keys, values and ranges, leaning to where trees and codecs break: shared prefixes, the
 * longest keys, values just below and above what a leaf holds, the ends of every integer width.
 */
import fc from 'fast-check';
import type { BoundsSpec, ExpirySpec, KeySpec, RangeSpec, ValueSpec } from './specs.js';

/** Few enough that steps meet the same keys again. */
const FAMILIES = [
  { unit: '', repeat: 0 },
  { unit: 'user:', repeat: 1 },
  { unit: 'user:', repeat: 2 },
  { unit: 'p', repeat: 1019 },
  { unit: 'é', repeat: 120 },
  { unit: '𝄞', repeat: 3 },
  { unit: '\u0000', repeat: 2 },
] as const;

export const family = fc.constantFrom(...FAMILIES);

const suffix = fc.oneof(
  { weight: 4, arbitrary: fc.nat(40).map((number) => String(number).padStart(5, '0')) },
  { weight: 2, arbitrary: fc.constantFrom('', '0', '00000', '00017', 'z', '\u0000', '~') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('é', '€', '𝄞', '\uffff', '\ufeff', 'a\u0000b', '\u007f'),
  },
);

const textKey: fc.Arbitrary<KeySpec> = fc
  .record({
    family,
    suffix,
    asBytes: fc.boolean(),
  })
  .map(({ family: { unit, repeat }, suffix: end, asBytes }) => ({
    unit,
    repeat,
    suffix: Buffer.byteLength(unit) * repeat > 1000 ? ([...end][0] ?? '') : end,
    asBytes,
  }));

const longKey: fc.Arbitrary<KeySpec> = fc
  .record({ repeat: fc.integer({ min: 1018, max: 1023 }), suffix: fc.constantFrom('', 'a', '~') })
  .map((spec) => ({ unit: 'p', ...spec, asBytes: false }));

const bytesKey: fc.Arbitrary<KeySpec> = fc
  .oneof(
    fc.array(fc.constantFrom(0x00, 0x01, 0x61, 0x7f, 0x80, 0xfe, 0xff), { maxLength: 4 }),
    fc.integer({ min: 1, max: 500 }).map((length) => new Array<number>(length).fill(0xff)),
    fc.integer({ min: 1, max: 500 }).map((length) => new Array<number>(length).fill(0x00)),
  )
  .map((bytes) => ({ bytes, isRaw: false }));

/** So few that most steps on them find what others left. */
const hotKey: fc.Arbitrary<KeySpec> = fc.constantFrom(
  { unit: '', repeat: 0, suffix: '', asBytes: false },
  { unit: 'user:', repeat: 1, suffix: '00017', asBytes: false },
  { unit: 'user:', repeat: 1, suffix: '00017', asBytes: true },
  { unit: 'user:', repeat: 2, suffix: '00040', asBytes: false },
  { unit: 'p', repeat: 1019, suffix: '00020', asBytes: false },
  { unit: 'é', repeat: 120, suffix: '00003', asBytes: false },
  { bytes: [0xff], isRaw: false },
);

/** Mostly one key, so that counting meets integers, the ends of int64 and other types. */
export const counterKey: fc.Arbitrary<KeySpec> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ unit: '', repeat: 0, suffix: '', asBytes: false }) },
  { weight: 1, arbitrary: hotKey },
);

/** Any key that is a key. */
export const key: fc.Arbitrary<KeySpec> = fc.oneof(
  { weight: 9, arbitrary: hotKey },
  { weight: 6, arbitrary: textKey },
  { weight: 1, arbitrary: longKey },
  { weight: 2, arbitrary: bytesKey },
);

const wrongKey: fc.Arbitrary<KeySpec> = fc.constantFrom<KeySpec>(
  { unit: 'p', repeat: 1025, suffix: '', asBytes: false },
  { unit: 'é', repeat: 512, suffix: '~', asBytes: false },
  { unit: 'a', repeat: 1, suffix: '\ud800', asBytes: false },
  { bytes: [0x61, 0xff], isRaw: true },
);

const scalars: readonly unknown[] = [
  ...['', 'a', 'plain text', '\u0000', '\ufeffmark', 'é€𝄞', '\uffff'],
  ...[0, 1, -1, 127, 128, -128, -129, 255, 32767, 32768, -32768, -32769, 5.0],
  ...[2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32, -(2 ** 32), 2 ** 47],
  ...[Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 53, -(2 ** 53), 2 ** 63],
  ...[-0, NaN, Infinity, -Infinity, 0.1, -1.5, 5e-324, Number.MAX_VALUE, 1e-7],
  ...[0n, -1n, 2n ** 31n, 2n ** 53n - 1n, 2n ** 53n, -(2n ** 53n), 2n ** 62n],
  ...[2n ** 63n - 1n, -(2n ** 63n)],
  ...[new Uint8Array(0), Uint8Array.of(0), Uint8Array.of(255, 0, 255)],
];

const refused: readonly unknown[] = [
  ...[undefined, null, true, {}, [], Symbol.iterator],
  ...[2n ** 63n, -(2n ** 63n) - 1n, 'lone \udc00 surrogate', '\ud83d'],
];

const longLength = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 200, max: 2_000 }) },
  { weight: 6, arbitrary: fc.integer({ min: 900, max: 4_200 }) },
  { weight: 3, arbitrary: fc.integer({ min: 4_000, max: 70_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 70_000, max: 400_000 }) },
);

const longValue: fc.Arbitrary<ValueSpec> = fc.record({
  long: fc.constantFrom('ascii', 'unicode', 'bytes'),
  seed: fc.nat(1_000),
  length: longLength,
});

export const value: fc.Arbitrary<ValueSpec> = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom(...scalars.map((scalar) => ({ value: scalar }))) },
  { weight: 8, arbitrary: longValue },
  { weight: 2, arbitrary: fc.string({ unit: 'binary' }).map((text) => ({ value: text })) },
  { weight: 2, arbitrary: fc.double().map((number) => ({ value: number })) },
  { weight: 2, arbitrary: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((big) => ({ value: big })) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ value: bytes })) },
);

const wrongValue: fc.Arbitrary<ValueSpec> = fc.constantFrom(...refused.map(asValue));

export const textOrBytes: fc.Arbitrary<ValueSpec> = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary' }).map((text) => ({ value: text })) },
  { weight: 3, arbitrary: longValue },
  { weight: 1, arbitrary: fc.constantFrom({ value: '\udc00' }, { value: 5 }, { value: null }) },
);

export const integer: fc.Arbitrary<ValueSpec> = fc.oneof(
  { weight: 4, arbitrary: fc.maxSafeInteger().map(asValue) },
  { weight: 4, arbitrary: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((big) => ({ value: big })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<ValueSpec>(
      ...[2n ** 63n - 1n, -(2n ** 63n), 1.5, 2 ** 60, NaN, Infinity, 2n ** 63n, 'text'].map(
        (wrong) => ({ value: wrong }),
      ),
    ),
  },
);

export const float: fc.Arbitrary<ValueSpec> = fc.oneof(
  { weight: 4, arbitrary: fc.double().map((number) => ({ value: number })) },
  { weight: 4, arbitrary: fc.integer().map((number) => ({ value: number })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<ValueSpec>({ value: -0 }, { value: 5n }, { value: '1' }),
  },
);

export const delta: fc.Arbitrary<ValueSpec> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -5, max: 5 }).map(asValue) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<ValueSpec>(
      ...[2n ** 63n - 1n, -(2n ** 63n) + 1n, 2n ** 62n, 2n ** 53n, -(2n ** 53n)].map(asValue),
      ...[1.5, NaN, Infinity, 'text', null].map(asValue),
    ),
  },
);

function asValue(of: unknown): ValueSpec {
  return { value: of };
}

export const seconds = fc.constantFrom(0.125, 1 / 8192, 0.5, 1, 3, 10, 3600);

const expiry: fc.Arbitrary<ExpirySpec> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<ExpirySpec>({ kind: 'none' }) },
  { weight: 3, arbitrary: fc.constant<ExpirySpec>({ kind: 'keep' }) },
  {
    weight: 6,
    arbitrary: seconds.map((each): ExpirySpec => ({ kind: 'ttl', seconds: each })),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('at' as const),
      inMs: fc.constantFrom(-1000, -1, 0, 1, 500, 2000),
      asDate: fc.boolean(),
    }),
  },
);

const noExpiry = fc.constant<ExpirySpec>({ kind: 'none' });
const wrongExpiry: fc.Arbitrary<ExpirySpec> = fc.constantFrom(
  ...[0, -1, NaN, Infinity].map((wrong) => ({ kind: 'ttl' as const, seconds: wrong })),
);

/** What a set is given: one thing wrong at most, so that it is known which error comes. */
export const setting = fc.oneof(
  { weight: 30, arbitrary: fc.record({ key, value, expiry }) },
  { weight: 1, arbitrary: fc.record({ key: wrongKey, value, expiry }) },
  { weight: 1, arbitrary: fc.record({ key, value: wrongValue, expiry: noExpiry }) },
  { weight: 1, arbitrary: fc.record({ key, value, expiry: wrongExpiry }) },
);

const familyPrefix = family.map(
  ({ unit, repeat }): KeySpec => ({ unit, repeat, suffix: '', asBytes: false }),
);

/** A prefix of many keys, of few or of none. */
export const prefix: fc.Arbitrary<KeySpec> = fc.oneof(
  key,
  familyPrefix,
  fc
    .record({
      family,
      suffix: fc.constantFrom('0', '000', '0001'),
      asBytes: fc.boolean(),
    })
    .map(({ family: { unit, repeat }, ...rest }) => ({ unit, repeat, ...rest })),
);

const bound = fc.option(key, { nil: undefined, freq: 2 });

export const bounds: fc.Arbitrary<BoundsSpec> = fc.oneof(
  fc.record({ prefix: familyPrefix }),
  fc.record({ prefix }),
  fc.record({ gte: bound, lt: bound }),
  fc.record({ gt: bound, lte: bound }),
  fc
    .record({ gt: bound, gte: bound, lt: bound, lte: bound, prefix: fc.option(prefix) })
    .map(({ prefix: start, ...rest }) => ({ ...rest, prefix: start ?? undefined })),
);

export const range: fc.Arbitrary<RangeSpec> = fc
  .record({
    bounds: fc.oneof(fc.constant<BoundsSpec>({}), bounds),
    reverse: fc.option(fc.boolean(), { nil: undefined }),
    offset: fc.option(fc.nat(60), { nil: undefined, freq: 1 }),
    limit: fc.option(fc.nat(60), { nil: undefined, freq: 1 }),
  })
  .map(({ bounds: within, ...rest }) => ({ ...within, ...rest }));
