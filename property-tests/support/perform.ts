/**
 * Does one step to a subject, model or database alike, and says what came of it.
 */
import type { Key, KeyspaceWriter, Value } from 'mneme';
import { errorKind } from '../model/model-error.js';
import type {
  SubjectDatabase,
  SubjectIterator,
  SubjectKeyspace,
  SubjectTransaction,
} from '../model/subject.js';
import { probe } from './probe.js';
import { describedValue, keyOf, rangeOptionsOf, setOptionsOf } from './specs.js';
import {
  type BatchStep,
  type InnerStep,
  type IteratorStep,
  KEYSPACES,
  type KeyFamily,
  type KeyspaceStep,
  type ReadStep,
  type Stage,
  type WriteStep,
} from './steps.js';

export type Outcome = { readonly returned: unknown } | { readonly threw: string };

/** One of the two databases that the same steps are done to. */
export interface Subject {
  readonly database: SubjectDatabase;
  /** One handle for each of KEYSPACES, held as long as the database is open. */
  readonly handles: readonly SubjectKeyspace[];
  readonly iterators: Map<number, SubjectIterator<[Key, Value]>>;
  readonly now: () => number;
  /** How keyspaces are made. */
  readonly encrypted: boolean;
}

/** What a callback of a batch was given. */
interface Surroundings {
  readonly transaction?: SubjectTransaction;
  readonly writer?: { readonly keyspace: number; readonly handle: KeyspaceWriter };
  /** Slots of iterators that the innermost batch opened. */
  readonly opened: Set<number>;
}

export function attempt(action: () => unknown): Outcome {
  try {
    return { returned: action() };
  } catch (error) {
    return { threw: errorKind(error) };
  }
}

export function performStep(subject: Subject, step: InnerStep): Outcome {
  return attempt(() => perform(subject, step, { opened: new Set() }));
}

function perform(subject: Subject, step: InnerStep, around: Surroundings): unknown {
  switch (step.kind) {
    case 'batch':
      return performBatch(subject, step);
    case 'sync':
      return subject.database.sync();
    case 'keyspaces':
      return subject.database.keyspaces();
    case 'purgeDatabase':
      return subject.database.purgeExpired();
    case 'dropKeyspace':
      return (around.transaction ?? subject.database).dropKeyspace(keyspaceAt(step.keyspace).name);
    case 'openIterator':
    case 'advance':
    case 'closeIterator':
      return performOnIterator(subject, step, around);
    case 'set':
    case 'setBytes':
    case 'setInteger':
    case 'setFloat':
    case 'del':
    case 'delRange':
    case 'incr':
    case 'decr':
      return performWrite(subject, step, writerFor(subject, step, around));
    case 'expire':
    case 'persist':
    case 'purgeKeyspace':
    case 'fill':
    case 'prune':
      return performOnKeyspace(step, handleFor(subject, step, around));
    default:
      return performRead(step, handleFor(subject, step, around), subject.database);
  }
}

function keyspaceAt(index: number): (typeof KEYSPACES)[number] {
  const keyspace = KEYSPACES[index];
  if (keyspace === undefined) throw new Error(`no keyspace ${index}`);
  return keyspace;
}

interface Target {
  readonly keyspace: number;
  readonly isFresh: boolean;
}

function handleFor(subject: Subject, target: Target, around: Surroundings): SubjectKeyspace {
  const { name, keys, integers } = keyspaceAt(target.keyspace);
  if (target.isFresh) {
    return (around.transaction ?? subject.database).keyspace(name, {
      keys,
      integers,
      encrypted: subject.encrypted,
    });
  }
  const handle = subject.handles[target.keyspace];
  if (handle === undefined) throw new Error(`no handle ${target.keyspace}`);
  return handle;
}

function writerFor(subject: Subject, target: Target, around: Surroundings): KeyspaceWriter {
  const { writer } = around;
  const isOurs = writer !== undefined && writer.keyspace === target.keyspace && target.isFresh;
  return isOurs ? writer.handle : handleFor(subject, target, around);
}

/** What a batch came to, and every step in it. */
function performBatch(subject: Subject, step: BatchStep): unknown {
  const trace: Outcome[] = [];
  const failure = new Error('thrown by the callback');
  const body = (given: Omit<Surroundings, 'opened'>): unknown => {
    const around = { ...given, opened: new Set<number>() };
    for (const inner of step.steps) trace.push(attempt(() => perform(subject, inner, around)));
    for (const slot of around.opened) closeIterator(subject, slot);
    if (step.ending === 'throw') throw failure;
    return step.ending === 'promise' ? Promise.resolve() : 'returned by the callback';
  };
  const run = (): unknown => {
    const { keyspace } = step;
    if (keyspace === undefined) {
      return subject.database.batch((transaction) => body({ transaction }));
    }
    const handle = handleFor(subject, { keyspace, isFresh: false }, { opened: new Set() });
    return handle.batch((writer) => body({ writer: { keyspace, handle: writer } }));
  };
  const result = attempt(() => {
    try {
      return run();
    } catch (error) {
      if (error === failure) return 'rethrew the same error';
      throw error;
    }
  });
  return { trace, result };
}

function performWrite(subject: Subject, step: WriteStep, writer: KeyspaceWriter): unknown {
  const { keys } = keyspaceAt(step.keyspace);
  switch (step.kind) {
    case 'set': {
      const options = setOptionsOf(step.expiry, subject.now());
      return writer.set(keyOf(step.key, keys), describedValue(step.value), options);
    }
    case 'setBytes':
      return writer.setBytes(keyOf(step.key, keys), describedValue(step.value) as Key);
    case 'setInteger':
      return writer.setInteger(
        keyOf(step.key, keys),
        describedValue(step.value) as number | bigint,
      );
    case 'setFloat':
      return writer.setFloat(keyOf(step.key, keys), describedValue(step.value) as number);
    case 'del':
      return writer.del(keyOf(step.key, keys));
    case 'delRange':
      return writer.delRange(rangeOptionsOf(step.bounds, keys));
    default:
      return writer[step.kind](
        keyOf(step.key, keys),
        describedValue(step.delta) as number | bigint,
      );
  }
}

function performOnKeyspace(step: KeyspaceStep, handle: SubjectKeyspace): unknown {
  const { keys } = keyspaceAt(step.keyspace);
  switch (step.kind) {
    case 'expire':
      return handle.expire(keyOf(step.key, keys), step.seconds);
    case 'persist':
      return handle.persist(keyOf(step.key, keys));
    case 'purgeKeyspace':
      return handle.purgeExpired();
    case 'fill':
      return handle.batch((writer) => {
        const options = step.ttl === undefined ? undefined : { ttl: step.ttl };
        for (let index = step.from; index < step.from + step.count; index++) {
          const value = describedValue({ long: 'ascii', seed: index, length: step.valueBytes });
          writer.set(numberedKey(step.family, index), value, options);
        }
      });
    case 'prune':
      return handle.batch((writer) => {
        const removed: boolean[] = [];
        for (let index = step.from; index < step.from + step.count; index += step.every) {
          removed.push(writer.del(numberedKey(step.family, index)));
        }
        return removed;
      });
  }
}

export function numberedKey({ unit, repeat }: KeyFamily, index: number): string {
  return `${unit.repeat(repeat)}${String(index).padStart(5, '0')}`;
}

function performRead(step: ReadStep, handle: SubjectKeyspace, database: SubjectDatabase): unknown {
  const { name, keys } = keyspaceAt(step.keyspace);
  switch (step.kind) {
    case 'get':
    case 'exists':
    case 'typeOf':
    case 'ttl':
      return handle[step.kind](keyOf(step.key, keys));
    case 'getAsNumber':
      return database.keyspace(name, { keys, integers: 'number' }).get(keyOf(step.key, keys));
    case 'getMany':
      return handle.getMany(step.keys.map((key) => keyOf(key, keys)));
    case 'count':
      return step.prefix === undefined ? handle.count() : handle.count(keyOf(step.prefix, keys));
    case 'range':
      return handle.range(rangeOptionsOf(step.range, keys)).toArray();
    case 'rangePair': {
      const start = step.start === undefined ? undefined : keyOf(step.start, keys);
      const end = step.end === undefined ? undefined : keyOf(step.end, keys);
      return handle.range(start, end).toArray();
    }
    case 'chain':
      return chained(handle.range(rangeOptionsOf(step.range, keys)), step.stages).toArray();
    case 'probe':
      return probe(handle, step.fraction);
    case 'stats':
      return handle.stats();
  }
}

function chained(
  source: SubjectIterator<[Key, Value]>,
  stages: readonly Stage[],
): SubjectIterator<[Key, Value]> {
  let iterator = source;
  for (const stage of stages) {
    if ('count' in stage) iterator = iterator[stage.kind](stage.count);
    else if (stage.kind === 'filter') iterator = iterator.filter(([key]) => hasOddEnd(key));
    else iterator = iterator.map(([key, value]) => [key, `mapped ${value}`]);
  }
  return iterator;
}

/** Keeps about half of the keys of any kind. */
export function hasOddEnd(key: Key): boolean {
  const last = typeof key === 'string' ? key.charCodeAt(key.length - 1) : key.at(-1);
  return (last ?? 0) % 2 === 1;
}

function performOnIterator(subject: Subject, step: IteratorStep, around: Surroundings): unknown {
  switch (step.kind) {
    case 'openIterator': {
      closeIterator(subject, step.slot);
      const { keys } = keyspaceAt(step.keyspace);
      const range = handleFor(subject, step, around).range(rangeOptionsOf(step.range, keys));
      subject.iterators.set(step.slot, range);
      around.opened.add(step.slot);
      return undefined;
    }
    case 'advance':
      return advanceIterator(subject, step.slot, step.count);
    case 'closeIterator':
      return closeIterator(subject, step.slot);
  }
}

/** An exhausted iterator is let go: what it says after a close is left open. */
function advanceIterator(subject: Subject, slot: number, count: number): unknown {
  const items: unknown[] = [];
  for (let index = 0; index < count; index++) {
    const result = subject.iterators.get(slot)?.next();
    if (result === undefined) break;
    if (result.done === true) subject.iterators.delete(slot);
    else items.push(result.value);
  }
  return items;
}

function closeIterator(subject: Subject, slot: number): unknown {
  const iterator = subject.iterators.get(slot);
  subject.iterators.delete(slot);
  return iterator?.return().done;
}

/** Closes the database: the iterators still held must say so, and be harmless to leave. */
export function closeSubject(subject: Subject): Outcome[] {
  subject.database.close();
  const outcomes: Outcome[] = [];
  for (const iterator of subject.iterators.values()) {
    outcomes.push(attempt(() => iterator.next()));
    outcomes.push(attempt(() => iterator.return().done));
  }
  subject.iterators.clear();
  return outcomes;
}
