/**
 * What the page can ask of a database. Everything reads, on an opening that changes nothing; what
 * changes something is there only when it was asked for, and opens the file anew each time.
 */
import type { Database } from '../../api/database.js';
import { parseKey, parseValue, VALUE_TYPES } from '../../shared/bytes/typed-value.js';
import { MnemeError, outOfRange } from '../../shared/errors.js';
import type { Live } from './answers.js';
import { browse, view } from './browse.js';
import { Latencies } from './latencies.js';
import { MapJob } from './map-job.js';
import { overview, timeline } from './overview.js';
import { decodeId, type Question, type Route, type Routes } from './question.js';
import { searchBoth, searchTexts, searchVectors } from './searching.js';

/** Opens the file for one change. */
export type Change = <T>(work: (database: Database) => T) => T;

/** @param change - Undefined when nothing may be changed. */
export function routesOf(database: Database, change: Change | undefined): Routes {
  const latencies = new Latencies();
  const map = new MapJob(database);
  const asked = (question: Question) => ({ database, latencies, question });
  const routes = new Map<string, Route>([
    ['GET /api/overview', () => overview(database, change !== undefined)],
    ['GET /api/map', () => map.map()],
    ['GET /api/keys', (question) => browse(database, latencies, question)],
    ['GET /api/key', (question) => view(database, latencies, question)],
    ['GET /api/expiry', (question) => timeline(database, question)],
    ['GET /api/search/text', (question) => searchTexts(asked(question))],
    ['GET /api/search/vector', (question) => searchVectors(asked(question))],
    ['GET /api/search/hybrid', (question) => searchBoth(asked(question))],
    ['GET /api/live', ({ query }) => live(database, latencies, query.get('probe') === 'yes')],
  ]);
  routes.set('POST /api/set', (question) => set(change, question));
  routes.set('POST /api/del', (question) => remove(change, question));
  return routes;
}

/** What changes all the time. */
function live(database: Database, latencies: Latencies, probes: boolean): Live {
  if (probes) latencies.probe(database);
  const { txnId } = database.info();
  const { cache, pageCount, livePages, fileSize } = database.stats();
  return {
    at: Date.now(),
    txnId: String(txnId),
    cache,
    pageCount,
    livePages,
    fileSize,
    latencies: latencies.read(),
  };
}

function fieldOf({ body }: Question, name: string): string {
  const field = body[name];
  if (typeof field !== 'string') throw outOfRange(name, 'a text', field);
  return field;
}

function keysIn({ body }: Question): 'text' | 'bytes' {
  return body['keyKind'] === 'bytes' ? 'bytes' : 'text';
}

/** Sets a value; its ttl stays unless another is given. */
function set(change: Change | undefined, question: Question): unknown {
  if (change === undefined) throw new MnemeError('ERR_MNEME_READONLY');
  const type = VALUE_TYPES.find((it) => it === fieldOf(question, 'type'));
  if (type === undefined) throw outOfRange('type', VALUE_TYPES.join(', '), question.body['type']);
  const keys = keysIn(question);
  const key = parseKey(fieldOf(question, 'key'), keys);
  const value = parseValue(fieldOf(question, 'value'), type);
  const { ttl } = question.body;
  if (ttl !== undefined && typeof ttl !== 'number') throw outOfRange('ttl', 'a number', ttl);
  change((database) => {
    const handle = database.keyspace(fieldOf(question, 'keyspace'), { keys: keys as 'text' });
    handle.set(key, value, ttl === undefined ? { keepTtl: true } : { ttl });
  });
  return {};
}

function remove(change: Change | undefined, question: Question): unknown {
  if (change === undefined) throw new MnemeError('ERR_MNEME_READONLY');
  const keys = keysIn(question);
  const key = decodeId(fieldOf(question, 'id'), keys);
  const removed = change((database) =>
    database.keyspace(fieldOf(question, 'keyspace'), { keys: keys as 'text' }).del(key),
  );
  return { removed };
}
