/**
 * Keys of a keyspace, a page at a time, and what each of them holds.
 */
import type { Database } from '../../api/database.js';
import type { KeyspaceInventory } from '../../api/inventory.js';
import type { KeyspaceReader } from '../../api/keyspace.js';
import type { Snapshot } from '../../api/snapshot.js';
import { plainKey, plainValue, typedValue } from '../../shared/bytes/typed-value.js';
import type { Value } from '../../shared/bytes/value-codec.js';
import { type ListedKey, type ListedKeys, THINGS, type Thing, type ViewedKey } from './answers.js';
import type { Latencies } from './latencies.js';
import { keyspaceIn } from './overview.js';
import {
  decodeId,
  encodeId,
  NotThere,
  numberIn,
  type Question,
  textIn,
  wordIn,
} from './question.js';

const LISTED_MAX = 500;
const PREVIEW_CHARACTERS = 120;
/** Of a value; what is longer is cut. */
const SHOWN_BYTES_MAX = 2 ** 18;

/** What follows a key, or begins the keyspace; one more than asked for says that there is more. */
export function browse(database: Database, latencies: Latencies, question: Question): ListedKeys {
  const name = textIn(question, 'keyspace');
  const limit = Math.min(LISTED_MAX, Math.max(1, numberIn(question, 'limit', 50)));
  const snapshot = database.snapshot();
  try {
    const about = keyspaceIn(snapshot, name);
    const items = latencies.time('scan', () => itemsIn(snapshot, about, question, limit + 1));
    return { items: items.slice(0, limit), hasMore: items.length > limit };
  } finally {
    snapshot.close();
  }
}

function itemsIn(
  snapshot: Snapshot,
  about: KeyspaceInventory,
  question: Question,
  limit: number,
): ListedKey[] {
  const { name, keys, settings } = about;
  const prefix = question.query.get('prefix') ?? '';
  const after = question.query.get('after');
  const begins = keys === 'text' ? prefix : new Uint8Array(Buffer.from(prefix, 'hex'));
  const bound = after === null ? {} : { gt: decodeId(after, keys) };
  const range = { ...bound, limit, ...(prefix === '' ? {} : { prefix: begins }) };
  if (settings !== undefined) {
    return snapshot
      .ftKeyspace(name)
      .documents.range(range)
      .toArray()
      .map(([key, value]) => item(key, value));
  }
  const reader = snapshot.keyspace(name, { keys: keys as 'text' });
  const what = wordIn(question, 'what', THINGS);
  if (what === 'values')
    return reader
      .range(range)
      .toArray()
      .map(([key, value]) => item(key, value));
  const names = what === 'vectors' ? vectorKeys(about) : namesOf(about, what);
  const start = after === null ? undefined : Buffer.from(after, 'base64url');
  const wanted: ListedKey[] = [];
  for (const key of names) {
    const bytes = Buffer.from(key as string);
    if (start !== undefined && bytes.compare(start) <= 0) continue;
    if (!bytes.subarray(0, Buffer.byteLength(prefix)).equals(Buffer.from(begins as string)))
      continue;
    wanted.push({ id: encodeId(key), label: plainKey(key), about: '' });
    if (wanted.length === limit) break;
  }
  return wanted;
}

function namesOf(about: KeyspaceInventory, what: Thing): Iterable<string> {
  return what === 'lists' ? about.lists() : about.sortedSets();
}

function* vectorKeys({ keys, vectorKeys: all }: KeyspaceInventory): Generator<string | Uint8Array> {
  for (const key of all()) yield keys === 'text' ? Buffer.from(key).toString() : key;
}

function item(key: string | Uint8Array, value: Value): ListedKey {
  const text = plainValue(value);
  const isLong = text.length > PREVIEW_CHARACTERS;
  const about = isLong ? `${text.slice(0, PREVIEW_CHARACTERS)}…` : text;
  return { id: encodeId(key), label: plainKey(key), about };
}

/** All of one key. @throws {NotThere} */
export function view(database: Database, latencies: Latencies, question: Question): ViewedKey {
  const name = textIn(question, 'keyspace');
  const what = wordIn(question, 'what', THINGS);
  const snapshot = database.snapshot();
  try {
    const { keys, settings } = keyspaceIn(snapshot, name);
    const key = decodeId(textIn(question, 'id'), keys);
    const label = plainKey(key);
    const reader =
      settings === undefined
        ? (snapshot.keyspace(name, { keys: keys as 'text' }) as KeyspaceReader)
        : snapshot.ftKeyspace(name).documents;
    if (settings !== undefined || what === 'values') {
      const value = latencies.time('get', () => reader.get(key));
      if (value === undefined) throw new NotThere(`there is no key ${label}`);
      const vector = settings === undefined ? shownVector(reader.vget(key)) : undefined;
      return { label, value: shownValue(value), ttl: reader.ttl(key), vector };
    }
    if (what === 'vectors') return { label, vector: shownVector(reader.vget(key)) };
    if (what === 'lists') {
      const list = reader.list(key);
      const elements = list.range(0, LISTED_MAX - 1).map(plainValue);
      return { label, count: list.len(), elements };
    }
    const set = reader.sortedSet(key);
    const members = set.rangeByRank(0, LISTED_MAX - 1);
    return { label, count: set.card(), members: members.map(shownMember) };
  } finally {
    snapshot.close();
  }
}

function shownVector(vector: Float32Array | undefined): number[] | undefined {
  return vector === undefined ? undefined : Array.from(vector);
}

function shownMember({ member, score }: { member: string; score: number }) {
  return { member, score: String(score) };
}

/** A value with its bytes, which the page shows as text, JSON or hex digits. */
function shownValue(value: Value) {
  const { type } = typedValue(value);
  const bytes = value instanceof Uint8Array ? value : Buffer.from(plainValue(value));
  const base64 = Buffer.from(bytes.subarray(0, SHOWN_BYTES_MAX)).toString('base64');
  return { type, size: bytes.length, base64, isCut: bytes.length > SHOWN_BYTES_MAX };
}
