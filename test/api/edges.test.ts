/**
 * What the model found once, kept as examples: the longest keys, empty values, savepoints that are
 * undone and extents that come after them, in a file and in memory.
 */
import type { Database, Keyspace } from 'mneme';
import { expect, test } from 'vitest';
import { memory, openHere, temporaryPath } from './support.js';

const LONG_TEXT = 'ab'.repeat(1203);

/** A key of the greatest length. */
function longKey(index: number): string {
  return 'p'.repeat(1019) + String(index).padStart(5, '0');
}

type Scenario = (database: Database, keyspace: Keyspace) => void;

/** Plays a scenario in a file and in memory, and expects so many whole entries after it. */
function check(entryCount: number, scenario: Scenario): void {
  const options = { pageSize: 4096, cacheSize: 2 ** 20 };
  for (const database of [memory(options), openHere(temporaryPath(), options)]) {
    const keyspace = database.keyspace('edges');
    scenario(database, keyspace);
    expect(keyspace.range().toArray()).toHaveLength(entryCount);
    expect(keyspace.count()).toBe(entryCount);
    expect(database.verify()).toMatchObject({ ok: true, problems: [] });
    database.close();
  }
}

/** A savepoint that does something and is undone. */
function undo(database: Database, action: () => void): void {
  const run = (): never =>
    database.batch(() => {
      action();
      throw new Error('undone');
    });
  expect(run).toThrow('undone');
}

for (const value of ['', 'v', LONG_TEXT]) {
  test(`values of ${value.length} bytes under the longest keys can be written again`, () => {
    check(150, (database, keyspace) => {
      database.batch(() => {
        for (let index = 0; index < 150; index++) keyspace.set(longKey(index), value);
      });
      database.keyspace('other').set('key', 1);
      keyspace.set(longKey(3), value);
      keyspace.batch((writer) => {
        for (let index = 50; index < 60; index++) writer.set(longKey(index), value, { ttl: 9 });
      });
      expect(keyspace.get(longKey(149))).toBe(value);
    });
  });
}

test('an empty value under the longest key is freed and written among other commits', () => {
  check(8, (database, keyspace) => {
    keyspace.batch((writer) => {
      for (let index = 50; index < 57; index++) writer.set(longKey(index), '');
    });
    database.keyspace('other').set('key', 1);
    keyspace.set('short', 'value');
    keyspace.batch((writer) => {
      for (let index = 54; index < 57; index++) writer.set(longKey(index), '');
    });
  });
});

test('a key that lacks what all others begin with may come first or last', () => {
  for (const key of ['', 'a', 'q']) {
    for (const count of [10, 20, 51, 100]) {
      check(count + 1, (_, keyspace) => {
        keyspace.batch((writer) => {
          for (let index = 0; index < count; index++) writer.set(longKey(index), 'v');
        });
        keyspace.set(key, 1);
      });
    }
  }
});

test('large values that are written again with a ttl stay whole', () => {
  check(231, (_, keyspace) => {
    keyspace.batch((writer) => {
      for (let index = 0; index < 25; index++) writer.set(`user ${index}`, 'v', { ttl: 10 });
    });
    for (const [from, count, length] of [
      [38, 206, 900],
      [51, 117, 400],
    ] as const) {
      keyspace.batch((writer) => {
        for (let index = from; index < from + count; index++) {
          writer.set(longKey(index), 'w'.repeat(length), { ttl: 10 });
        }
      });
    }
    expect(keyspace.get(longKey(51))).toBe('w'.repeat(400));
  });
});

test('a large value may follow a savepoint that was undone', () => {
  const insides: ((database: Database, keyspace: Keyspace) => void)[] = [
    (_, keyspace) => keyspace.set('undone', 1),
    (database) => database.keyspace('other').set('undone', 1),
    (_, keyspace) => keyspace.set('undone', LONG_TEXT),
    (database, keyspace) => {
      keyspace.set('undone', 1);
      database.batch(() => keyspace.del('absent'));
    },
    (_, keyspace) => {
      keyspace.set('undone', 1);
      keyspace.range().return();
    },
  ];
  for (const inside of insides) {
    check(1, (database, keyspace) => {
      database.batch(() => {
        undo(database, () => inside(database, keyspace));
        keyspace.set('key', LONG_TEXT);
      });
      expect(keyspace.get('key')).toBe(LONG_TEXT);
    });
  }
});

test('a savepoint larger than the cache is undone and leaves what was before it', () => {
  check(1, (database, keyspace) => {
    database.batch(() => {
      keyspace.set('before', LONG_TEXT);
      const iterator = keyspace.range();
      undo(database, () => {
        for (let index = 0; index < 3000; index++) keyspace.set(`${index}`, 'v'.repeat(500));
      });
      expect(iterator.toArray()).toStrictEqual([['before', LONG_TEXT]]);
    });
    expect(keyspace.get('before')).toBe(LONG_TEXT);
  });
});

test('a keyspace filled and dropped in one batch leaves the others whole', () => {
  check(4, (database, keyspace) => {
    for (let index = 0; index < 4; index++) keyspace.set(`${index}`, LONG_TEXT);
    database.batch((transaction) => {
      const dropped = transaction.keyspace('dropped');
      for (let index = 0; index < 16; index++) dropped.set(longKey(index), '', { ttl: 10 });
      transaction.dropKeyspace('dropped');
    });
    expect(keyspace.get('0')).toBe(LONG_TEXT);
    expect(database.keyspaces()).toStrictEqual(['edges']);
  });
});
