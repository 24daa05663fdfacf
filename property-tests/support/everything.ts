/**
 * Steps over all that a database can hold, in one file and across each other, and everything that
 * can be read of it: what a copy of the file has to answer too.
 *
 * Each value that is put begins with a mark of its own, so that what is left of a value can be
 * looked for in the bytes of a file.
 */
import fc from 'fast-check';
import type { Database, FtKeyspace, Keyspace, Value } from 'mneme';

export type AnyStep =
  | { readonly kind: 'tick'; readonly seconds: number }
  | { readonly kind: 'set'; readonly key: number; readonly size: number; readonly ttl: number }
  | { readonly kind: 'setMany'; readonly first: number; readonly count: number }
  | { readonly kind: 'del' | 'vset' | 'vdel' | 'delText'; readonly key: number }
  | { readonly kind: 'delRange'; readonly from: number; readonly to: number }
  | { readonly kind: 'expire'; readonly key: number; readonly ttl: number }
  | { readonly kind: 'addMembers'; readonly set: number; readonly count: number }
  | { readonly kind: 'push'; readonly list: number; readonly size: number; readonly count: number }
  | { readonly kind: 'pop' | 'clear'; readonly list: number }
  | { readonly kind: 'put'; readonly key: number; readonly words: readonly number[] }
  | { readonly kind: 'drop'; readonly keyspace: number }
  | { readonly kind: 'pause' | 'rebuild' | 'rebuildHalf' | 'purge' };

const NAMES = ['plain', 'bytes', 'texts'];
const WORDS = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox', 'gnu', 'hen', 'ibis', 'jay'];
const DIMENSION = 12;
const KEYS_MAX = 60;
const SIZES = [0, 3, 40, 900, 5000, 70_000, 1_100_000];
/** What a rebuild that is given up throws. */
const GIVEN_UP = new Error('given up');

const key = fc.nat(KEYS_MAX);
const size = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...SIZES.slice(0, 4)) },
  { weight: 2, arbitrary: fc.constantFrom(...SIZES) },
);
const ttl = fc.constantFrom(0, 0, 5, 20, 1000);
const kinds = <K extends string>(...names: K[]) => fc.constantFrom(...names);

const step: fc.Arbitrary<AnyStep> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: kinds('set'), key, size, ttl }) },
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ kind: kinds('setMany'), first: fc.nat(9000), count: fc.constantFrom(50, 700, 7000) },
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: kinds('del', 'vset', 'vdel', 'delText'), key }) },
  { weight: 5, arbitrary: fc.record({ kind: kinds('vset'), key }) },
  { weight: 1, arbitrary: fc.record({ kind: kinds('delRange'), from: key, to: key }) },
  { weight: 2, arbitrary: fc.record({ kind: kinds('expire'), key, ttl }) },
  { weight: 3, arbitrary: fc.record({ kind: kinds('tick'), seconds: fc.constantFrom(1, 6, 30) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: kinds('addMembers'), set: fc.nat(3), count: fc.nat(200) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: kinds('push'), list: fc.nat(3), size, count: fc.nat(30) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kinds('pop', 'clear'), list: fc.nat(3) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      ...{ kind: kinds('put'), key, words: fc.array(fc.nat(WORDS.length - 1), { maxLength: 40 }) },
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kinds('drop'), keyspace: fc.nat(2) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: kinds('pause', 'rebuild', 'rebuildHalf', 'purge') }),
  },
);

export function anySteps(maxLength: number): fc.Arbitrary<AnyStep[]> {
  return fc.array(step, { maxLength, size: 'max' });
}

/** A database, and the number of the mark that comes next. */
export class Everything {
  readonly database: Database;
  readonly #tick: (seconds: number) => void;
  #mark = 0;

  constructor(database: Database, tick: (seconds: number) => void) {
    this.database = database;
    this.#tick = tick;
  }

  perform(step: AnyStep): void {
    const plain = this.database.keyspace('plain');
    switch (step.kind) {
      case 'tick':
        return this.#tick(step.seconds);
      case 'set':
        return this.#set(step.key, step.size, step.ttl);
      case 'setMany':
        return this.#setMany(step.first, step.count);
      case 'del':
        return void plain.del(nameOf(step.key));
      case 'delRange':
        return void plain.delRange({ gte: nameOf(step.from), lt: nameOf(step.to) });
      case 'expire':
        return void plain.expire(nameOf(step.key), step.ttl);
      case 'purge':
        return void this.database.purgeExpired();
      case 'drop':
        return void this.database.dropKeyspace(NAMES[step.keyspace] as string);
      case 'vset':
        return plain.vset(nameOf(step.key), vectorOf(step.key, this.#mark++));
      case 'vdel':
        return void plain.vdel(nameOf(step.key));
      default:
        return this.#performMore(plain, step);
    }
  }

  #performMore(plain: Keyspace, step: AnyStep): void {
    switch (step.kind) {
      case 'addMembers':
        return this.#addMembers(plain, step.set, step.count);
      case 'push': {
        const values = Array.from({ length: step.count }, () => this.#value(step.size));
        if (values.length > 0) plain.list(`list ${step.list}`).rpush(...values);
        return;
      }
      case 'pop':
        return void plain.list(`list ${step.list}`).lpop();
      case 'clear':
        return void plain.list(`list ${step.list}`).clear();
      default:
        return this.#performText(textsOf(this.database), step);
    }
  }

  #performText(texts: FtKeyspace, step: AnyStep): void {
    if (step.kind === 'put') {
      texts.put(nameOf(step.key), step.words.map((word) => WORDS[word]).join(' '));
    } else if (step.kind === 'delText') texts.del(nameOf(step.key));
    else if (step.kind === 'pause') texts.pauseIndexing();
    else if (step.kind === 'rebuild') texts.rebuildIndex();
    else if (step.kind === 'rebuildHalf') giveUpRebuild(texts);
  }

  #set(key: number, size: number, ttl: number): void {
    const options = ttl === 0 ? {} : { ttl };
    const value = this.#value(size);
    this.database.keyspace('plain').set(nameOf(key), value, options);
    const bytes = this.database.keyspace('bytes', { keys: 'bytes' });
    bytes.set(Uint8Array.of(key, 255, 0), key % 2 === 0 ? key ** 3 : Buffer.from(value), options);
  }

  #setMany(first: number, count: number): void {
    const plain = this.database.keyspace('plain');
    plain.batch((batch) => {
      for (let index = first; index < first + count; index++) {
        batch.set(`${index}`, this.#value(index % 20));
      }
    });
  }

  #addMembers(plain: Keyspace, set: number, count: number): void {
    const pairs = Array.from({ length: count }, (_, index) => [index / 3 - set, `member ${index}`]);
    if (pairs.length === 0) return;
    const [score, member, ...more] = pairs.flat();
    plain.sortedSet(`set ${set}`).add(score as number, member as string, ...more);
  }

  #value(size: number): string {
    return `${markOf(this.#mark++)}${'x'.repeat(size)}`;
  }
}

function nameOf(key: number): string {
  return `key ${key}`.repeat((key % 7) + 1);
}

function markOf(number: number): string {
  return `<mark ${number}>`;
}

/** The marks that stand anywhere in some bytes. */
export function marksIn(bytes: Uint8Array): Set<string> {
  return new Set(
    Buffer.from(bytes)
      .toString('latin1')
      .match(/<mark \d+>/g) ?? [],
  );
}

function vectorOf(key: number, seed: number): number[] {
  return Array.from({ length: DIMENSION }, (_, index) => Math.sin(key * 31 + index * seed + index));
}

function textsOf(database: Database): FtKeyspace {
  return database.ftKeyspace('texts', { analyzerName: 'whitespace', positions: true });
}

/** Leaves an index behind that is half built, if there is anything to index. */
function giveUpRebuild(texts: FtKeyspace): void {
  let isFirst = true;
  const onProgress = () => {
    if (!isFirst) throw GIVEN_UP;
    isFirst = false;
  };
  try {
    texts.rebuildIndex({ onProgress });
  } catch (error) {
    if (error !== GIVEN_UP) throw error;
  }
}

/** All that a database answers, but for what depends on how its pages lie. */
export function describeEverything(database: Database): unknown {
  return {
    keyspaces: database.keyspaces(),
    plain: describeKeyspace(database.keyspace('plain')),
    bytes: describeKeyspace(database.keyspace('bytes', { keys: 'bytes' })),
    texts: describeTexts(textsOf(database)),
  };
}

function describeKeyspace(keyspace: Keyspace | Keyspace<Uint8Array>): unknown {
  const { vectors, sortedSets, lists } = keyspace.stats();
  const entries = keyspace.range().toArray();
  const keys = Array.from({ length: KEYS_MAX + 1 }, (_, key) => nameOf(key));
  const collections = [0, 1, 2, 3].map((index) => ({
    set: [...keyspace.sortedSet(`set ${index}`)],
    list: [...keyspace.list(`list ${index}`)].map(shortened),
  }));
  const query = vectorOf(1, 2);
  return {
    counts: { vectors, sortedSets, lists, values: keyspace.count() },
    entries: entries.map(([key, value]) => [key, shortened(value), keyspace.ttl(key)]),
    collections,
    dimension: keyspace.vdim(),
    vectors: keys.map((key) => keyspace.vget(key)),
    nearest: vectors === 0 ? [] : keyspace.vsearch(query, { topK: 30, metric: 'l2' }),
  };
}

/** Long values are compared by their ends and their length. */
function shortened(value: Value): unknown {
  if (typeof value === 'number' || typeof value === 'bigint' || value.length < 200) return value;
  return { start: value.slice(0, 50), end: value.slice(-50), length: value.length };
}

function describeTexts(texts: FtKeyspace): unknown {
  const queries = [...WORDS, 'ant bee', '"cat dog"', 'e*'];
  return {
    stats: texts.stats(),
    documents: texts.scan().toArray(),
    hits: queries.map((query) => texts.search(query, { topK: 100 })),
  };
}
