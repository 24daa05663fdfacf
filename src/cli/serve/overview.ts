/**
 * What is in a file, at a glance: its figures, its keyspaces with their sizes, and when keys
 * expire.
 */
import type { Database } from '../../api/database.js';
import { inventoryOf, type KeyspaceInventory } from '../../api/inventory.js';
import type { Snapshot } from '../../api/snapshot.js';
import { outOfRange } from '../../shared/errors.js';
import { isLocked } from '../../shared/keyspaces/page-owners.js';
import { DEADLINE_MAX } from '../../shared/limits.js';
import type { KeyspaceOverview, Overview, Timeline } from './answers.js';
import { NotThere, numberIn, type Question, textIn } from './question.js';

/** No deadline is later. */
const FOREVER_MS = DEADLINE_MAX - 1;
/** Bars of a timeline. */
const BARS = 60;

export function overview(database: Database, canWrite: boolean): Overview {
  const snapshot = database.snapshot();
  try {
    const { path } = database;
    const { txnId, createdAt, ...info } = database.info();
    const { oldestReader, ...stats } = database.stats();
    return {
      ...{ path, canWrite, stats },
      info: { ...info, txnId: String(txnId), createdAt: createdAt.getTime() },
      oldestReader: oldestReader && { pid: oldestReader.pid, txnId: String(oldestReader.txnId) },
      keyspaces: database.keyspaces().map((name) => describe(snapshot, name)),
    };
  } finally {
    snapshot.close();
  }
}

/** What one keyspace holds; its name only, where its key is not here. */
function describe(snapshot: Snapshot, name: string): KeyspaceOverview {
  try {
    const about = inventoryOf(snapshot, [name])[0];
    if (about === undefined) return { name, kind: 'empty', pages: 0 };
    const { encrypted, pages, keys, settings } = about;
    if (settings !== undefined) {
      const { analyzerName, k1, b, positions } = settings;
      const reader = snapshot.ftKeyspace(name);
      const { uniqueTerms, avgDocLen, pending } = reader.stats();
      const counts = { documents: reader.count(), uniqueTerms, avgDocLen, pending };
      return { name, kind: 'text', encrypted, pages, analyzerName, k1, b, positions, ...counts };
    }
    const reader = snapshot.keyspace(name, { keys: keys as 'text' });
    const { keys: values, vectors, sortedSets, lists } = reader.stats();
    const deadlines = about.deadlinesBy(FOREVER_MS);
    const counts = { keys: values, vectors, sortedSets, lists, deadlines };
    const dimension = reader.vdim();
    return { name, kind: 'values', encrypted, pages, keyKind: keys, dimension, ...counts };
  } catch (error) {
    if (!isLocked(error)) throw error;
    return { name, kind: 'locked', pages: 0 };
  }
}

/** One keyspace of a state. @throws {NotThere} */
export function keyspaceIn(snapshot: Snapshot, name: string): KeyspaceInventory {
  const about = inventoryOf(snapshot, [name])[0];
  if (about === undefined) throw new NotThere(`there is no keyspace ${name}`);
  return about;
}

/**
 * How many keys expire in each part of the time to come, of what is asked for in seconds; and how
 * many have expired, or expire later.
 */
export function timeline(database: Database, question: Question): Timeline {
  const spanSeconds = numberIn(question, 'seconds', 3600);
  if (spanSeconds <= 0) throw outOfRange('seconds', 'above 0', spanSeconds);
  const snapshot = database.snapshot();
  try {
    const { deadlinesBy } = keyspaceIn(snapshot, textIn(question, 'keyspace'));
    const { now } = snapshot.origin;
    const barMs = (spanSeconds * 1000) / BARS;
    const bounds = Array.from({ length: BARS + 1 }, (_, bar) => Math.round(now + bar * barMs));
    const counts = bounds.map((moment) => deadlinesBy(moment));
    const [expired = 0] = counts;
    const bars = counts.slice(1).map((count, bar) => count - (counts[bar] as number));
    const later = deadlinesBy(FOREVER_MS) - (counts.at(-1) as number);
    return { now, barMs, bars, expired, later };
  } finally {
    snapshot.close();
  }
}
