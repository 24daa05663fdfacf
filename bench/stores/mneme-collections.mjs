/**
 * Sorted sets and lists as mneme's users reach them.
 */
import { join } from 'node:path';
import { open } from 'mneme';

const PAGE_LAST = 9;

/**
 * @param {import('./store.mjs').OpenOptions} options
 * @returns {import('./collections.mjs').Collections}
 */
export function openMnemeCollections({ directory, cacheSizeBytes }) {
  const path = join(directory, 'collections.mneme');
  const database = open(path, { sync: 'none', cacheSize: cacheSizeBytes });
  const set = database.keyspace('bench').sortedSet('scores');
  const list = database.keyspace('bench').list('queue');
  return {
    addBatch: ({ members, scores }) =>
      database.batch(() => {
        for (let at = 0; at < members.length; at += 1) set.add(scores[at], members[at]);
      }),
    rank: (member) => set.rank(member),
    page: (start) => set.rangeByRank(start, start + PAGE_LAST).map(({ member }) => member),
    queue: (values) =>
      values.map((value) => {
        list.rpush(value);
        return String(list.lpop());
      }),
    close: () => database.close(),
  };
}
