/**
 * Many questions about one keyspace, around a key that is in it: arbitrary bounds alone seldom fall
 * where something is, and off by one is only seen there.
 */
import type { Key, RangeOptions } from 'mneme';
import type { SubjectKeyspace } from '../model/subject.js';

/** Answers for the key at this fraction of the range; subjects that agree give the same. */
export function probe(handle: SubjectKeyspace, fraction: number): unknown {
  const keys = handle
    .range()
    .map(([key]) => key)
    .toArray();
  const index = Math.min(keys.length - 1, Math.floor(fraction * keys.length));
  const pivot = keys[index];
  if (pivot === undefined) return [handle.count(), handle.stats()];
  const far = keys[Math.min(keys.length - 1, index + 37)] ?? pivot;
  const answers = rangesAround(pivot, far, index).map((options) =>
    handle
      .range(options)
      .map(([key]) => key)
      .toArray(),
  );
  const counts = [pivot, halfOf(pivot), far, halfOf(far)].map((prefix) => handle.count(prefix));
  const singles = [handle.get(pivot), handle.typeOf(pivot), handle.ttl(pivot), handle.exists(far)];
  return { keys, answers, counts, singles, stats: handle.stats() };
}

/** Each bound alone, turned, with offsets on both sides of it, and pairs of bounds. */
function rangesAround(pivot: Key, far: Key, index: number): RangeOptions[] {
  const bounds: RangeOptions[] = [
    ...[{ gt: pivot }, { gte: pivot }, { lt: pivot }, { lte: pivot }, { prefix: halfOf(pivot) }],
    ...[
      { gt: pivot, lte: far },
      { gte: pivot, lt: far },
      { gt: pivot, gte: far },
    ],
    ...[{ lt: far, lte: pivot }, { prefix: halfOf(far), gt: pivot }, {}],
  ];
  const places: RangeOptions[] = [
    ...[{ limit: 3 }, { offset: 1, limit: 2 }, { offset: 29, limit: 3 }, { offset: index }],
    ...[
      { reverse: true, limit: 3 },
      { reverse: true, offset: 5, limit: 2 },
    ],
    ...[{ reverse: true, offset: index, limit: 5 }],
  ];
  return bounds.flatMap((bound) => places.map((place) => ({ ...bound, ...place })));
}

/** The first half of a key, cut between characters. */
function halfOf(key: Key): Key {
  const half = key.slice(0, Math.ceil(key.length / 2));
  return typeof half === 'string' && !half.isWellFormed() ? key : half;
}
