/**
 * A database as lines of JSON, one typed record a line, and back.
 *
 *   line                                                   of
 *   { keyspace, keys, encrypted }                          a keyspace of values
 *   { keyspace, text: { analyzerName, k1, b, positions }, encrypted }   one of full text
 *   { in, key, type, value, expiresAt? }                   a value; expiresAt in ms since the epoch
 *   { in, set, member, score }                             a member of a sorted set
 *   { in, list, type, value }                              an element of a list, from its head on
 *   { in, vector, numbers }                                a vector, float32
 *   { in, document, text }                                 a document
 *
 * Keys that are bytes, and values that are, are in base64. What JSON has not is text: NaN, -0, the
 * infinities, integers beyond 2^53. What has expired is left out.
 */
import type { Database } from '../api/database.js';
import type { FtKeyspace } from '../api/fulltext.js';
import { inventoryOf, type KeyspaceInventory } from '../api/inventory.js';
import type { Key } from '../api/keys.js';
import type { Keyspace } from '../api/keyspace.js';
import type { Snapshot } from '../api/snapshot.js';
import { bytesOf, jsonNumber, type TypedValue, typedValue } from '../shared/bytes/typed-value.js';
import type { Value } from '../shared/bytes/value-codec.js';
import { outOfRange } from '../shared/errors.js';

const ANALYZERS_OF_OURS: ReadonlySet<string> = new Set([
  ...['standard', 'english', 'english-stop', 'whitespace'],
]);

/** A line of a dump. */
export type DumpRecord = Readonly<Record<string, unknown>>;

/** Everything of one state, keyspace by keyspace. */
export function* dumpRecords(database: Database): Generator<DumpRecord> {
  const snapshot = database.snapshot();
  try {
    for (const keyspace of inventoryOf(snapshot)) {
      if (keyspace.settings === undefined) yield* valueRecords(snapshot, keyspace);
      else yield* textRecords(snapshot, keyspace);
    }
  } finally {
    snapshot.close();
  }
}

function* valueRecords(snapshot: Snapshot, about: KeyspaceInventory): Generator<DumpRecord> {
  const { name, keys, encrypted } = about;
  yield { keyspace: name, keys, encrypted };
  const reader = snapshot.keyspace(name, { keys: keys as 'text' });
  const { now } = snapshot.origin;
  for (const [key, value] of reader.range()) {
    const ttl = reader.ttl(key);
    const expiry = ttl === undefined ? {} : { expiresAt: Math.round(now + ttl * 1000) };
    yield { in: name, key: keyText(key), ...typedValue(value), ...expiry };
  }
  for (const set of about.sortedSets()) {
    for (const { member, score } of reader.sortedSet(set).rangeByRank(0, -1)) {
      yield { in: name, set, member, score: jsonNumber(score) };
    }
  }
  for (const list of about.lists()) {
    for (const value of reader.list(list)) yield { in: name, list, ...typedValue(value) };
  }
  for (const bytes of about.vectorKeys()) {
    const key = keys === 'bytes' ? bytes : Buffer.from(bytes).toString();
    const numbers = Array.from(reader.vget(key) ?? [], jsonNumber);
    yield { in: name, vector: keyText(key), numbers };
  }
}

function* textRecords(snapshot: Snapshot, about: KeyspaceInventory): Generator<DumpRecord> {
  const { name, encrypted, settings } = about;
  if (settings === undefined) return;
  const { analyzerName, k1, b, positions } = settings;
  yield { keyspace: name, text: { analyzerName, k1, b, positions }, encrypted };
  const texts = snapshot.ftKeyspace(name);
  for (const [document, text] of texts.scan()) yield { in: name, document, text };
}

function keyText(key: Key): string {
  return typeof key === 'string' ? key : Buffer.from(key).toString('base64');
}

/** Puts records into a database, in the batch that runs. */
export class Loader {
  readonly #database: Database;
  readonly #values = new Map<string, { readonly handle: Keyspace; readonly isBytes: boolean }>();
  readonly #texts = new Map<string, FtKeyspace>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** @throws {RangeError} for what is no line of a dump. */
  load(record: DumpRecord): void {
    if (typeof record['keyspace'] === 'string') this.#begin(record['keyspace'], record);
    else if (typeof record['document'] === 'string') this.#putDocument(record);
    else if (typeof record['in'] === 'string') this.#put(record['in'], record);
    else throw noRecord(record);
  }

  #begin(name: string, { keys, encrypted, text }: DumpRecord): void {
    const sealed = encrypted === true ? { encrypted } : {};
    if (text !== undefined) {
      const settings = text as { analyzerName: string; k1: number; b: number; positions: boolean };
      if (!ANALYZERS_OF_OURS.has(settings.analyzerName)) {
        const reason = `the analyzer ${settings.analyzerName} is a function of somebody's`;
        throw outOfRange('dump', 'without functions', reason);
      }
      const texts = this.#database.ftKeyspace(name, { ...settings, ...sealed });
      // A keyspace comes into being with its first write, also one that holds nothing.
      texts.put('', '');
      texts.del('');
      this.#texts.set(name, texts);
      return;
    }
    const isBytes = keys === 'bytes';
    const kind = { keys: (isBytes ? 'bytes' : 'text') as 'text', ...sealed };
    const handle = this.#database.keyspace(name, kind);
    handle.set('', 0);
    handle.del('');
    this.#values.set(name, { handle, isBytes });
  }

  #putDocument(record: DumpRecord): void {
    const { in: name, document, text } = record;
    const texts = this.#texts.get(String(name));
    if (texts === undefined) throw noRecord(record);
    texts.put(String(document), String(text));
  }

  #put(name: string, record: DumpRecord): void {
    const keyspace = this.#values.get(name);
    if (keyspace === undefined) throw noRecord(record);
    const { handle, isBytes } = keyspace;
    const { key, set, list, vector } = record;
    const keyOf = (text: unknown) =>
      isBytes ? new Uint8Array(Buffer.from(String(text), 'base64')) : String(text);
    if (key !== undefined) setTyped(handle, keyOf(key), record);
    else if (set !== undefined) {
      handle.sortedSet(String(set)).add(Number(record['score']), String(record['member']));
    } else if (list !== undefined) {
      handle.list(String(list)).rpush(untyped(record as unknown as TypedValue));
    } else if (vector !== undefined && Array.isArray(record['numbers'])) {
      handle.vset(keyOf(vector), record['numbers'].map(Number));
    } else throw noRecord(record);
  }
}

function setTyped(handle: Keyspace, key: Key, record: DumpRecord): void {
  const typed = record as unknown as TypedValue;
  const { expiresAt } = record;
  const more = typeof expiresAt === 'number' ? { expiresAt } : {};
  if (typed.type === 'float') handle.setFloat(key, Number(typed.value), more);
  else handle.set(key, untyped(typed), more);
}

function untyped(typed: TypedValue): Value {
  switch (typed.type) {
    case 'bytes':
      return bytesOf(typed);
    case 'integer':
      return BigInt(typed.value);
    case 'float':
      return Number(typed.value);
    case 'text':
      return String(typed.value);
    default:
      throw noRecord(typed as unknown as DumpRecord);
  }
}

/** Says which fields it has, and nothing of what is in them. */
function noRecord(record: DumpRecord): RangeError {
  return outOfRange('dump', 'lines of a dump', `a line with ${Object.keys(record).join(', ')}`);
}
