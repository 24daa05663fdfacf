/**
 * The expiry index of a keyspace: (deadline, key) -> nothing, the soonest first.
 *
 *   offset  size  field of a key
 *        0     6  deadline, ms since the epoch, big-endian, so that bytes sort as moments do
 *        6        the key
 */
import { startsWith } from '../bytes/compare.js';
import { TREE_KEY_BYTES_MAX } from '../limits.js';
import { entryCount } from '../pages/page.js';
import type { PageSource } from '../pages/page-source.js';
import { Cursor, rankOf } from '../tree/cursor.js';
import { copyKey } from '../tree/node.js';
import type { TreeRoot } from '../tree-root.js';

export const EXPIRY_DEADLINE_BYTES = 6;

/** Writes the index key's deadline. */
export function writeDeadline(target: Uint8Array, offset: number, deadline: number): void {
  let rest = deadline;
  for (let at = EXPIRY_DEADLINE_BYTES - 1; at >= 0; at--) {
    target[offset + at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

function readDeadline(key: Uint8Array): number {
  let deadline = 0;
  for (let at = 0; at < EXPIRY_DEADLINE_BYTES; at++)
    deadline = deadline * 256 + (key[at] as number);
  return deadline;
}

/** How many keys have expired at `now` and are not purged yet. O(log n). */
export function expiredCount(source: PageSource, index: Readonly<TreeRoot>, now: number): number {
  if (index.level < 0) return 0;
  const bound = new Uint8Array(EXPIRY_DEADLINE_BYTES);
  writeDeadline(bound, 0, now + 1);
  return rankOf(source, index, bound);
}

export interface ExpiredKey {
  readonly deadline: number;
  readonly key: Uint8Array;
}

/** The keys that have expired at `now`, soonest deadline first, `limit` at most. */
export function expiredKeys(
  source: PageSource,
  index: Readonly<TreeRoot>,
  now: number,
  limit = Number.POSITIVE_INFINITY,
): ExpiredKey[] {
  const expired: ExpiredKey[] = [];
  if (index.level < 0) return expired;
  const { memory } = source;
  const entry = new Uint8Array(TREE_KEY_BYTES_MAX);
  const cursor = new Cursor(source, index);
  if (!cursor.seekRank(0)) return expired;
  do {
    const leaf = cursor.leaf();
    const count = entryCount(memory, leaf);
    for (let at = 0; at < count; at++) {
      const length = copyKey(memory, leaf, at, entry, 0);
      const deadline = readDeadline(entry);
      if (deadline > now || expired.length >= limit) return expired;
      expired.push({ deadline, key: entry.slice(EXPIRY_DEADLINE_BYTES, length) });
    }
  } while (cursor.moveLeaf(1));
  return expired;
}

/** How many keys with this prefix have expired at `now` and are not purged yet. */
export function expiredWithPrefix(
  source: PageSource,
  index: Readonly<TreeRoot>,
  now: number,
  prefix: Uint8Array,
): number {
  if (prefix.length === 0) return expiredCount(source, index, now);
  if (expiredCount(source, index, now) === 0) return 0;
  return expiredKeys(source, index, now).filter(({ key }) => startsWith(key, prefix)).length;
}
