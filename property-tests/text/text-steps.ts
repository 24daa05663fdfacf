/**
 * Steps on full text: arbitrary ones, and how one is done to database or model alike.
 */
import fc from 'fast-check';
import type { FtOptions, Key } from 'mneme';
import { randomFrom } from '../crash/crash-states.js';
import { key, prefix } from '../support/arbitrary-specs.js';
import { attempt, hasOddEnd, numberedKey } from '../support/perform.js';
import { type KeySpec, keyOf } from '../support/specs.js';
import type { KeyFamily } from '../support/steps.js';
import type {
  NaiveText,
  SearchOptions,
  SubjectText,
  TextReader,
  TextSettings,
} from './naive-text.js';
import { Chooser, EXPLOSIVE, queryOf, splitAtSpaces, standardTerms, textOf } from './words.js';

interface KeyspaceChoice {
  readonly name: string;
  readonly options: FtOptions;
  readonly settings: TextSettings;
}

export const KEYSPACES: readonly KeyspaceChoice[] = [
  {
    name: 'plain',
    options: {},
    settings: { analyze: standardTerms, k1: 1.2, b: 0.75, positions: false },
  },
  {
    name: 'placed',
    options: {
      analyzer: splitAtSpaces,
      analyzerName: 'split@1',
      k1: 0.9,
      b: 0.4,
      positions: true,
    },
    settings: { analyze: splitAtSpaces, k1: 0.9, b: 0.4, positions: true },
  },
];

const VOCABULARY = { size: 40, skew: 1 } as const;

interface TextSpec {
  readonly seed: number;
  readonly length: number;
  readonly wrong?: 'explosive' | 'number' | 'surrogate' | undefined;
}

interface SearchSpec {
  readonly topK: number | undefined;
  readonly k1: number | undefined;
  readonly b: number | undefined;
  readonly operator: 'or' | 'and' | undefined;
  readonly filter: 'all' | 'none' | 'odd' | KeySpec | undefined;
}

interface Numbered {
  readonly family: KeyFamily;
  readonly from: number;
  readonly count: number;
}

export type WriteStep =
  | { readonly kind: 'put'; readonly key: KeySpec; readonly text: TextSpec }
  | { readonly kind: 'del'; readonly key: KeySpec }
  | { readonly kind: 'putMany'; readonly documents: readonly (readonly [KeySpec, TextSpec])[] }
  | (Numbered & {
      readonly kind: 'fill';
      readonly text: TextSpec;
      readonly how: 'puts' | 'putMany';
    })
  | (Numbered & { readonly kind: 'prune'; readonly every: number });

export type TextStep =
  | WriteStep
  | { readonly kind: 'pause' }
  /** `during` is done while the rebuild is under way, which then fails or does not. */
  | { readonly kind: 'rebuild'; readonly during: readonly WriteStep[]; readonly fails: boolean }
  | { readonly kind: 'get' | 'exists' | 'count' | 'scan'; readonly key: KeySpec }
  | { readonly kind: 'analyze'; readonly text: TextSpec }
  | { readonly kind: 'search'; readonly query: number; readonly search: SearchSpec };

export type Step =
  | {
      readonly kind: 'text';
      readonly keyspace: number;
      readonly isFresh: boolean;
      readonly step: TextStep;
    }
  | { readonly kind: 'batch'; readonly steps: readonly Step[]; readonly fails: boolean }
  | { readonly kind: 'snapshot' | 'release' | 'drop'; readonly slot: number }
  | { readonly kind: 'reopen'; readonly sync: 'full' | 'none' };

function only<const Kind extends string>(...kinds: Kind[]): fc.Arbitrary<Kind> {
  return fc.constantFrom(...kinds);
}

const words = { seed: fc.nat(1000), length: fc.constantFrom(0, 1, 3, 8, 8, 8, 30, 400) };
const right: fc.Arbitrary<TextSpec> = fc.record(words);
const text = fc.oneof(
  { weight: 20, arbitrary: right },
  fc.record({ ...words, wrong: only('explosive', 'number', 'surrogate') }),
);
const wrongKey: fc.Arbitrary<KeySpec> = fc.constantFrom<KeySpec>(
  { unit: 'p', repeat: 1025, suffix: '', asBytes: false },
  { unit: 'a', repeat: 1, suffix: '\ud800', asBytes: false },
  { bytes: [0x61, 0xff], isRaw: true },
);
const anyKey = fc.oneof({ weight: 20, arbitrary: key }, wrongKey);

const family = fc.constantFrom(
  { unit: 'user:', repeat: 1 },
  { unit: 'p', repeat: 1019 },
  { unit: 'é', repeat: 120 },
  { unit: '', repeat: 0 },
);
const numbered = { family, from: fc.nat(60), count: fc.integer({ min: 1, max: 300 }) };

const write: fc.Arbitrary<WriteStep> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: only('put'), key: anyKey, text }) },
  { weight: 4, arbitrary: fc.record({ kind: only('del'), key: anyKey }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: only('putMany'),
      documents: fc.array(fc.tuple(key, text), { maxLength: 6 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: only('fill'),
      ...numbered,
      text: fc.record({ seed: fc.nat(1000), length: fc.constantFrom(0, 2, 8) }),
      how: only('puts', 'putMany'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: only('prune'),
      ...numbered,
      every: fc.integer({ min: 1, max: 4 }),
    }),
  },
);

const indexing: fc.Arbitrary<TextStep> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: only('pause') }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: only('rebuild'),
      during: fc.oneof(fc.constant([]), fc.array(write, { maxLength: 4 })),
      fails: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
    }),
  },
);

function mostlyOmitted<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined, freq: 1 });
}

const NOTHING_ASKED = {
  topK: undefined,
  k1: undefined,
  b: undefined,
  operator: undefined,
  filter: undefined,
} as const;

const search: fc.Arbitrary<SearchSpec> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      topK: fc.constantFrom(undefined, 0, 1, 2, 3, 10, 37, 400, 5000),
      k1: mostlyOmitted(fc.constantFrom(0, 0.5, 1.2, 100)),
      b: mostlyOmitted(fc.constantFrom(0, 0.3, 0.75, 1)),
      operator: fc.constantFrom(undefined, 'or', 'and'),
      filter: fc.oneof(
        { weight: 3, arbitrary: fc.constant(undefined) },
        { weight: 2, arbitrary: only('all', 'none', 'odd', 'odd') },
        { weight: 2, arbitrary: prefix },
      ),
    }),
  },
  fc
    .constantFrom(
      { topK: -1 },
      { topK: 1.5 },
      { k1: -1 },
      { k1: Number.NaN },
      { b: -0.5 },
      { b: 2 },
    )
    .map((wrong) => ({ ...NOTHING_ASKED, ...wrong })),
);
const read: fc.Arbitrary<TextStep> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: only('search'), query: fc.nat(1000), search }) },
  { weight: 1, arbitrary: fc.record({ kind: only('get', 'exists'), key: anyKey }) },
  { weight: 1, arbitrary: fc.record({ kind: only('count', 'scan'), key: prefix }) },
  { weight: 1, arbitrary: fc.record({ kind: only('analyze'), text: right }) },
);

const onText: fc.Arbitrary<Step> = fc.record({
  kind: only('text'),
  keyspace: fc.nat(KEYSPACES.length - 1),
  isFresh: fc.boolean(),
  step: fc.oneof(
    { weight: 6, arbitrary: write },
    { weight: 1, arbitrary: indexing },
    { weight: 3, arbitrary: read },
  ),
});

const slotted = (kind: 'snapshot' | 'release' | 'drop'): fc.Arbitrary<Step> =>
  fc.record({ kind: fc.constant(kind), slot: fc.nat(1) });

function batchOf(steps: fc.Arbitrary<Step>): fc.Arbitrary<Step> {
  return fc.record({
    kind: only('batch'),
    steps: fc.array(steps, { maxLength: 8 }),
    fails: fc.boolean(),
  });
}

const drop = { weight: 1, arbitrary: slotted('drop') };
const innerBatch = batchOf(fc.oneof({ weight: 8, arbitrary: onText }, drop));
const batch = batchOf(fc.oneof({ weight: 8, arbitrary: onText }, drop, innerBatch));

export function textSteps(maxLength: number): fc.Arbitrary<Step[]> {
  const step = fc.oneof(
    { weight: 24, arbitrary: onText },
    { weight: 6, arbitrary: batch },
    { weight: 2, arbitrary: slotted('snapshot') },
    { weight: 2, arbitrary: slotted('release') },
    drop,
    { weight: 2, arbitrary: fc.record({ kind: only('reopen'), sync: only('full', 'none') }) },
  );
  return fc.array(step, { maxLength, size: 'max' });
}

function chooserOf(seed: number): Chooser {
  return new Chooser(randomFrom(seed));
}

/** A text as a caller gives it. */
function given({ seed, length, wrong }: TextSpec): string {
  const right = textOf(chooserOf(seed), VOCABULARY, length);
  if (wrong === undefined) return right;
  if (wrong === 'number') return 5 as unknown as string;
  return wrong === 'explosive' ? `${right} ${EXPLOSIVE}` : `${right}\ud800`;
}

function searchOptions({ filter, ...spec }: SearchSpec): SearchOptions {
  const entries = Object.entries(spec).filter(([, value]) => value !== undefined);
  const options: SearchOptions = Object.fromEntries(entries);
  if (filter === undefined) return options;
  if (typeof filter === 'object') return { ...options, filter: keyOf(filter, 'text') };
  const accept = { all: () => true, none: () => false, odd: hasOddEnd }[filter];
  return { ...options, filter: (docId: Key): boolean => accept(docId) };
}

/** Where a step is done. */
export interface Place {
  readonly positions: boolean;
  /** Runs several writes as one. */
  readonly batch: (fn: () => void) => void;
}

export function performOn(subject: SubjectText, step: TextStep, place: Place): unknown {
  switch (step.kind) {
    case 'put':
      return subject.put(keyOf(step.key, 'text'), given(step.text));
    case 'del':
    case 'get':
    case 'exists':
      return subject[step.kind](keyOf(step.key, 'text'));
    case 'putMany':
      return subject.putMany(
        step.documents.map(([docId, content]) => [keyOf(docId, 'text'), given(content)]),
      );
    case 'fill':
      return fill(subject, step, place);
    case 'prune':
      return prune(subject, step, place);
    case 'pause':
      return subject.pauseIndexing();
    case 'rebuild':
      return rebuild(subject, step, place);
    case 'count':
      return subject.count(keyOf(step.key, 'text'));
    case 'scan':
      return [...subject.scan(keyOf(step.key, 'text'))];
    case 'analyze':
      return subject.analyze(given(step.text));
    case 'search': {
      const { positions } = place;
      const query = queryOf(chooserOf(step.query), { vocabulary: VOCABULARY, positions });
      return subject.search(query, searchOptions(step.search));
    }
  }
}

function fill(subject: SubjectText, step: WriteStep & { readonly kind: 'fill' }, place: Place) {
  const { family: start, from, count, text: spec, how } = step;
  const chooser = chooserOf(spec.seed);
  const documents = Array.from({ length: count }, (_, index): [Key, string] => {
    // Neither in the order of keys nor of its mirror.
    const id = numberedKey(start, from + ((index * 7) % count));
    return [id, textOf(chooser, VOCABULARY, spec.length)];
  });
  if (how === 'putMany') return subject.putMany(documents);
  return place.batch(() => {
    for (const [id, content] of documents) subject.put(id, content);
  });
}

function prune(subject: SubjectText, step: WriteStep & { readonly kind: 'prune' }, place: Place) {
  const removed: boolean[] = [];
  place.batch(() => {
    for (let index = step.from; index < step.from + step.count; index += step.every) {
      removed.push(subject.del(numberedKey(step.family, index)));
    }
  });
  return removed;
}

/** One error, so that both sides fail with the same. */
const FAILURE = new Error('thrown while rebuilding');

function rebuild(
  subject: SubjectText,
  step: TextStep & { readonly kind: 'rebuild' },
  place: Place,
) {
  const answers: unknown[] = [];
  let isBegun = false;
  const onProgress = (): void => {
    if (isBegun) return;
    isBegun = true;
    for (const inner of step.during) answers.push(attempt(() => performOn(subject, inner, place)));
    if (step.fails) throw FAILURE;
  };
  subject.rebuildIndex({ onProgress });
  return answers;
}

const QUERIES = ['a', 'an ante', 'é W1X a', 'unheardof 7 7', '"a an" w*', ''] as const;

/** All that a keyspace says of its documents; `model` says which ids to ask for. */
export function describeAll(subject: TextReader, model: NaiveText): unknown {
  const ids = model.ids();
  const some = ids.filter((_, index) => index % 29 === 0 || index < 3);
  return {
    stats: subject.stats(),
    counts: [subject.count(), ...some.map((id) => subject.count([...id].slice(0, 5).join('')))],
    documents: [...subject.scan()],
    some: some.map((id) => [subject.exists(id), subject.get(id)]),
    missing: [subject.exists('none'), subject.get('none'), [...subject.scan('none')]],
    everything: QUERIES.map((query) => subject.search(query, { topK: ids.length + 1000 })),
    best: QUERIES.map((query) => subject.search(query, { topK: 3 })),
    all: QUERIES.map((query) => subject.search(query, { operator: 'and' })),
  };
}
