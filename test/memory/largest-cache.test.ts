/**
 * The largest cache that can be asked for: its last frames have the highest addresses that there
 * are, and work as any others. Only what is touched of it takes memory.
 */
import { expect, test } from 'vitest';
import type { SharedPlaces } from '../../dist/api/open-file.js';
import { CACHE_BYTES_MAX } from '../../dist/shared/limits.js';
import { CLOCK_HAND_WORD, FRESH_FRAME_WORD } from '../../dist/shared/memory/control-block.js';
import { createMemoryHandle, SharedMemory } from '../../dist/shared/memory/shared-memory.js';
import { openHere, temporaryPath } from '../api/support.js';

/** What `share()` returns, as the package itself sees it. */
interface Shared {
  readonly places: SharedPlaces;
}

const ADDRESS_END = 2 ** 32;
/** So many frames are used as if all before them were. */
const LAST_FRAMES = 3000;
const KEYS = 20_000;

test.each([
  4096, 65536,
])('frames at the end of all addresses hold pages of %i bytes', (pageSize) => {
  const database = openHere(temporaryPath(), { pageSize, cacheSize: CACHE_BYTES_MAX });
  const memory = new SharedMemory((database.share() as unknown as Shared).places.memory);
  const { frameCount } = memory;
  expect(memory.framesAddress + frameCount * pageSize).toBeGreaterThan(0.97 * ADDRESS_END);
  expect(memory.handle.buffer.byteLength).toBeLessThanOrEqual(ADDRESS_END);
  for (const word of [FRESH_FRAME_WORD, CLOCK_HAND_WORD]) {
    Atomics.store(memory.i32, word, frameCount - LAST_FRAMES);
  }
  const keyspace = database.keyspace('a');
  keyspace.batch((batch) => {
    for (let key = 0; key < KEYS; key++) batch.set(`${key}`, `${key} `.repeat(20));
  });
  database.batch((tx) => {
    const vectors = tx.keyspace('vectors');
    for (let key = 0; key < 500; key++) {
      vectors.vset(
        `${key}`,
        Array.from({ length: 64 }, (_, part) => Math.sin(key + part)),
      );
    }
  });
  keyspace.set('long', 'x'.repeat(300_000));
  expect(keyspace.incr('counter')).toBe(1);
  expect(keyspace.get('long')).toHaveLength(300_000);
  const scores = database.keyspace('collections').sortedSet('scores');
  const list = database.keyspace('collections').list('list');
  for (let member = 0; member < 500; member++) scores.add(-member, `member ${member}`);
  list.rpush(...Array.from({ length: 500 }, (_, index) => `element ${index}`));
  expect(scores.rank('member 7')).toBe(492);
  expect(scores.rangeByRank(0, 0)).toStrictEqual([{ score: -499, member: 'member 499' }]);
  expect([list.index(300), list.lpop()]).toStrictEqual(['element 300', 'element 0']);
  expect([keyspace.del('counter'), keyspace.del('long')]).toStrictEqual([true, true]);
  const reader = openHere(database.path, { readonly: true });
  for (const handle of [database, reader]) {
    expect([...handle.keyspace('a').range()]).toHaveLength(KEYS);
    expect(handle.keyspace('a').get('7777')).toBe('7777 '.repeat(20));
    expect(handle.keyspace('a').count('1')).toBe(11_111);
    const query = Float32Array.from({ length: 64 }, (_, part) => Math.sin(7 + part));
    expect(handle.keyspace('vectors').vsearch(query, { topK: 1 })).toMatchObject([{ key: '7' }]);
    expect(handle.verify()).toMatchObject({ ok: true, problems: [] });
  }
  const used = Atomics.load(memory.i32, FRESH_FRAME_WORD);
  expect(used).toBeGreaterThan(frameCount - LAST_FRAMES);
});

test('no page size and cache size asks for more than can be addressed', () => {
  for (let pageSize = 4096; pageSize <= 65536; pageSize *= 2) {
    for (const share of [1, 0.99, 0.9]) {
      const { buffer, frameCount } = createMemoryHandle(pageSize, share * CACHE_BYTES_MAX);
      expect(buffer.byteLength).toBeLessThanOrEqual(ADDRESS_END);
      expect(frameCount * pageSize).toBeGreaterThan(0.97 * share * CACHE_BYTES_MAX);
    }
  }
});
