/**
 * Sorted sets and lists as slow, obvious models: a sorted array, and an array.
 */
import type { Key, List, SortedSet, SortedSetEntry, Value } from 'mneme';

/** What of a handle the model has too. */
export type SubjectSet = Pick<
  SortedSet,
  'add' | 'rem' | 'score' | 'card' | 'rank' | 'rangeByScore' | 'rangeByRank' | 'batchIncr' | 'clear'
> & { iter(options?: { reverse?: boolean }): Iterator<SortedSetEntry> };

export type SubjectList = Omit<List, typeof Symbol.iterator> & {
  [Symbol.iterator](): Iterator<Value>;
};

export interface SubjectCollections {
  sortedSet(name: string): SubjectSet;
  list(name: string): SubjectList;
  stats(): { sortedSets: number; lists: number };
}

type Entries = readonly SortedSetEntry[];

/** Everything of one keyspace. What stands in it is replaced, never changed. */
interface Content {
  readonly sets: Map<string, Entries>;
  readonly lists: Map<string, readonly Value[]>;
}

function newContent(): Content {
  return { sets: new Map(), lists: new Map() };
}

function byScoreThenMember(a: SortedSetEntry, b: SortedSetEntry): number {
  if (a.score !== b.score) return a.score < b.score ? -1 : 1;
  return Buffer.compare(bytesOf(a.member), bytesOf(b.member));
}

const bytes = new Map<string, Buffer>();

function bytesOf(member: string): Buffer {
  const known = bytes.get(member) ?? Buffer.from(member);
  bytes.set(member, known);
  return known;
}

/** The items from `start` to `stop`, both included, negative ones from the end. */
function slice<T>(items: readonly T[], start: number, stop: number): T[] {
  const { length } = items;
  const from = start < 0 ? Math.max(0, length + start) : start;
  const to = stop < 0 ? length + stop : stop;
  return items.filter((_, index) => index >= from && index <= to);
}

export class ModelCollections implements SubjectCollections {
  #content: Content;

  constructor(content = newContent()) {
    this.#content = content;
  }

  get content(): Content {
    return this.#content;
  }

  /** A state that stays as it is. */
  snapshot(): ModelCollections {
    const { sets, lists } = this.#content;
    return new ModelCollections({ sets: new Map(sets), lists: new Map(lists) });
  }

  restore(snapshot: ModelCollections): void {
    this.#content = snapshot.snapshot().#content;
  }

  drop(): void {
    this.#content = newContent();
  }

  stats(): { sortedSets: number; lists: number } {
    return { sortedSets: this.#content.sets.size, lists: this.#content.lists.size };
  }

  sortedSet(name: string): ModelSet {
    return new ModelSet(this, name);
  }

  list(name: string): ModelList {
    return new ModelList(this, name);
  }
}

function checkScore(score: unknown): number {
  if (typeof score !== 'number') throw new TypeError('no score');
  if (Number.isNaN(score)) throw new RangeError('NaN');
  return score === 0 ? 0 : score;
}

class ModelSet implements SubjectSet {
  readonly #model: ModelCollections;
  readonly #name: string;

  constructor(model: ModelCollections, name: string) {
    this.#model = model;
    this.#name = name;
  }

  get #entries(): Entries {
    return this.#model.content.sets.get(this.#name) ?? [];
  }

  set #entries(entries: Entries) {
    const { sets } = this.#model.content;
    if (entries.length === 0) sets.delete(this.#name);
    else sets.set(this.#name, [...entries].sort(byScoreThenMember));
  }

  get #scores(): Map<string, number> {
    return new Map(this.#entries.map(({ score, member }) => [member, score]));
  }

  set #scores(scores: Map<string, number>) {
    this.#entries = [...scores].map(([member, score]) => ({ score, member }));
  }

  add(...pairs: (number | Key)[]): number {
    const before = this.card();
    const given = pairs.filter((_, index) => index % 2 === 0).map(checkScore);
    const scores = this.#scores;
    given.forEach((score, pair) => {
      scores.set(String(pairs[2 * pair + 1]), score);
    });
    this.#scores = scores;
    return this.card() - before;
  }

  rem(...members: Key[]): number {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter(({ member }) => !members.includes(member));
    return before - this.#entries.length;
  }

  score(member: Key): number | undefined {
    return this.#entries.find((entry) => entry.member === member)?.score;
  }

  card(): number {
    return this.#entries.length;
  }

  #ordered(reverse = false): Entries {
    return reverse ? this.#entries.toReversed() : this.#entries;
  }

  rank(member: Key, { reverse }: { reverse?: boolean } = {}): number | undefined {
    const rank = this.#ordered(reverse).findIndex((entry) => entry.member === member);
    return rank < 0 ? undefined : rank;
  }

  rangeByScore(
    min: number,
    max: number,
    options: { limit?: number; offset?: number; reverse?: boolean } = {},
  ): SortedSetEntry[] {
    const { limit = Number.POSITIVE_INFINITY, offset = 0, reverse = false } = options;
    const [low, high] = reverse ? [max, min] : [min, max];
    const within = this.#ordered(reverse).filter(({ score }) => score >= low && score <= high);
    return within.slice(offset, offset + limit);
  }

  rangeByRank(
    start: number,
    stop: number,
    { reverse }: { reverse?: boolean } = {},
  ): SortedSetEntry[] {
    return slice(this.#ordered(reverse), start, stop);
  }

  batchIncr(members: Iterable<Key>, delta = 1): number[] {
    const scores = this.#scores;
    const sums = Array.from(members, (member) => {
      const sum = checkScore((scores.get(String(member)) ?? 0) + checkScore(delta));
      scores.set(String(member), sum);
      return sum;
    });
    this.#scores = scores;
    return sums;
  }

  clear(): number {
    const count = this.card();
    this.#entries = [];
    return count;
  }

  iter({ reverse }: { reverse?: boolean } = {}): Iterator<SortedSetEntry> {
    return this.#ordered(reverse)[Symbol.iterator]();
  }
}

/** A bigint that is safe as a number reads as one. */
function stored(value: Value): Value {
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

class ModelList implements SubjectList {
  readonly #model: ModelCollections;
  readonly #name: string;

  constructor(model: ModelCollections, name: string) {
    this.#model = model;
    this.#name = name;
  }

  get #values(): readonly Value[] {
    return this.#model.content.lists.get(this.#name) ?? [];
  }

  set #values(values: readonly Value[]) {
    const { lists } = this.#model.content;
    if (values.length === 0) lists.delete(this.#name);
    else lists.set(this.#name, values);
  }

  rpush(...values: Value[]): number {
    if (values.length === 0) throw new TypeError('no values');
    this.#values = [...this.#values, ...values.map(stored)];
    return this.len();
  }

  lpush(...values: Value[]): number {
    if (values.length === 0) throw new TypeError('no values');
    this.#values = [...values.map(stored).toReversed(), ...this.#values];
    return this.len();
  }

  rpop(): Value | undefined {
    const last = this.#values.at(-1);
    this.#values = this.#values.slice(0, -1);
    return last;
  }

  lpop(): Value | undefined {
    const first = this.#values[0];
    this.#values = this.#values.slice(1);
    return first;
  }

  len(): number {
    return this.#values.length;
  }

  index(index: number): Value | undefined {
    return this.#values.at(index);
  }

  range(start = 0, stop = -1): Value[] {
    return slice(this.#values, start, stop);
  }

  clear(): number {
    const count = this.len();
    this.#values = [];
    return count;
  }

  [Symbol.iterator](): Iterator<Value> {
    return this.#values[Symbol.iterator]();
  }
}
