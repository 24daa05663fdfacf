/**
 * The file that is damaged: small, with trees of several levels, every type of value, expired keys,
 * extents, lists of extents, free space, sorted sets, lists, vectors, documents, and a dropped
 * keyspace of which pages are still to be freed.
 */
import { readFileSync } from 'node:fs';
import { type FtKeyspace, type Keyspace, open } from 'mneme';
import { PAGE_BYTES } from './sealed-file.js';

/** When the file was written, and when it is looked at: in between half of the deadlines passed. */
const WRITTEN_AT = 1_700_000_000_000;
export const OPENED_AT = WRITTEN_AT + 60_000;

/** As many keys as leave more holes, when every other leaf is replaced, than fit beside a meta. */
const HOLES_COUNT = 18_000;
const HOLES_STEP = 8;

/** As many keys as leave pages of a dropped keyspace behind when its first commits are done. */
const DROPPED_COUNT = 5200;

export const KEYSPACES = [
  { name: 'deep', keys: 'text' },
  { name: 'typed', keys: 'text' },
  { name: 'expiring', keys: 'text' },
  { name: 'bytes', keys: 'bytes' },
  { name: 'large', keys: 'text' },
  { name: 'collections', keys: 'text' },
  { name: 'vectors', keys: 'text' },
  { name: 'long vectors', keys: 'text' },
] as const;

export function keyAt(name: string, index: number): string {
  if (name === 'deep') return `deep ${String(index % 7)}`.padEnd(300 + index * 7, `${index} `);
  return `${name} ${String(index).padStart(5, '0')}`;
}

const COUNTS = {
  deep: 60,
  typed: 150,
  expiring: 150,
  bytes: 40,
  large: 20,
  collections: 5,
  vectors: 5,
  'long vectors': 0,
} as const;

/** Some in a record of codes, and one in several. */
const VECTORS = {
  vectors: { count: 900, dimension: 20 },
  'long vectors': { count: 25, dimension: 1100 },
} as const;

export function vectorAt(name: keyof typeof VECTORS, index: number): Float32Array {
  const { dimension } = VECTORS[name];
  return Float32Array.from({ length: dimension }, (_, at) => Math.sin(index * at + index));
}

function fillVectors(keyspace: Keyspace, name: keyof typeof VECTORS): void {
  const { count } = VECTORS[name];
  keyspace.batch(() => {
    for (let index = 0; index < count; index++) {
      keyspace.vset(keyAt(name, (index * 7) % count), vectorAt(name, index));
    }
    for (let index = 0; index < count; index += 6) keyspace.vdel(keyAt(name, index));
  });
}

export const TEXTS = 'texts';
const TEXT_COUNT = 300;

/** Words that many documents have, and some that few have. */
function textAt(index: number): string {
  const length = index % 50 === 0 ? 400 : 3 + (index % 9);
  const words = Array.from({ length }, (_, at) => `word${(index * at * 7 + at) % 40}`);
  return `all ${words.join(' ')} only${index}`;
}

/** Short lists and long ones, a hole in the numbers, and an index that is paused. */
function fillTexts(texts: FtKeyspace): void {
  texts.putMany(
    Array.from({ length: TEXT_COUNT }, (_, index) => [keyAt(TEXTS, index), textAt(index)] as const),
  );
  for (let index = 0; index < TEXT_COUNT; index += 9) texts.del(keyAt(TEXTS, index));
  texts.pauseIndexing();
  for (let index = 1; index < TEXT_COUNT; index += 60) texts.del(keyAt(TEXTS, index));
  texts.put(keyAt(TEXTS, 2), 'put while it was paused');
}

function typedValue(index: number): string | number | bigint | Uint8Array {
  const values = [
    ...['text', 'Grüße', '', index, index * 1e9, index + 0.5, -index * 300, 2n ** 62n],
    ...[new Uint8Array(index), 'x'.repeat(1200 + index * 10), new Uint8Array(9000)],
  ];
  return values[index % values.length] as string | number | bigint | Uint8Array;
}

function fill(
  keyspace: Keyspace<string> | Keyspace<Uint8Array>,
  name: string,
  count: number,
): void {
  keyspace.batch((writer) => {
    for (let index = 0; index < count; index++) {
      const ttl = name === 'expiring' ? { ttl: index % 2 === 0 ? 10 : 3600 } : undefined;
      const key = keyAt(name, index);
      // Nothing of a deep tree needs a look before it goes: its ranges go by whole subtrees.
      const value = name === 'deep' ? `value ${index}` : typedValue(index);
      writer.set(name === 'bytes' ? Buffer.from(key) : key, value, ttl);
    }
  });
}

/** One large set and list each, and many small ones; some elements are long. */
function fillCollections(keyspace: Keyspace): void {
  keyspace.batch(() => {
    for (let index = 0; index < 400; index++) {
      keyspace.sortedSet('large').add(index % 20, keyAt('member', index));
      keyspace.list('large').rpush(typedValue(index));
      const small = keyAt('small', index % 40);
      keyspace.sortedSet(small).add(index, 'one', -index, keyAt('member', index));
      keyspace.list(small).lpush(index, 'z'.repeat(index));
    }
  });
}

/** Leaves free space in more runs than are logged in a meta, so that it goes into an extent. */
function punchHoles(keyspace: Keyspace): void {
  for (const step of [1, HOLES_STEP]) {
    keyspace.batch((writer) => {
      for (let index = 0; index < HOLES_COUNT; index += step) {
        writer.set(keyAt('holes', index), `${step}`.padEnd(990, 'h'));
      }
    });
  }
}

/**
 * The bytes of a closed file; a large one has a list of extents, a dropped keyspace and an extent
 * of free space too.
 */
export function makeFixture(path: string, isLarge: boolean): Buffer {
  const clock = (): number => WRITTEN_AT;
  const database = open(path, { pageSize: PAGE_BYTES, cacheSize: 2 ** 24, clock });
  if (isLarge) {
    const dropped = database.keyspace('dropped');
    dropped.batch((writer) => {
      for (let index = 0; index < DROPPED_COUNT; index++) {
        writer.set(keyAt('dropped', index), 'd'.repeat(index % 100 === 0 ? 2000 : 990));
      }
    });
    punchHoles(database.keyspace('holes'));
  }
  for (const { name, keys } of KEYSPACES) {
    const keyspace = keys === 'bytes' ? database.keyspace(name, { keys }) : database.keyspace(name);
    if (name === 'large' && isLarge) keyspace.set('one', 'y'.repeat(2 ** 20 + 5000));
    fill(keyspace, name, COUNTS[name]);
  }
  fillCollections(database.keyspace('collections'));
  fillVectors(database.keyspace('vectors'), 'vectors');
  fillVectors(database.keyspace('long vectors'), 'long vectors');
  fillTexts(database.ftKeyspace(TEXTS, { positions: true }));
  database.keyspace('typed').delRange({ gte: keyAt('typed', 50), lt: keyAt('typed', 90) });
  // Last, because every commit frees a part of it.
  if (isLarge) database.dropKeyspace('dropped');
  database.close();
  return readFileSync(path);
}
