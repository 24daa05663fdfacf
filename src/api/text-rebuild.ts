/**
 * Rebuilding the index of a keyspace: some documents in each transaction, while others go on.
 *
 * The new index grows by rising numbers of documents. What others change meanwhile behind that
 * point is noted as pending, and caught up with before the indexes change places.
 */

import { textDamaged } from '../shared/bytes/postings.js';
import { recordNumber } from '../shared/bytes/value-codec.js';
import type { KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import { entriesFrom, indexOf, numberKey, recordOf, textOf } from '../shared/keyspaces/fulltext.js';
import { findRecord } from '../shared/keyspaces/values.js';
import * as messages from '../shared/memory/messages.js';
import type { PageSource } from '../shared/pages/page-source.js';
import type { Core } from './core.js';
import type { KeyspaceAccess } from './keyspace-access.js';
import type { NamedAnalyzer } from './text-analysis.js';
import type { TextSender } from './text-sender.js';
import type { Progress } from './verify.js';

/** Documents in a transaction, and about so many characters; changes are looked at all at once. */
const STEP_DOCUMENTS = 1000;
const STEP_CHARACTERS = 2 ** 23;
const STEP_CHANGES = 100;
/** So often somebody else may begin anew; what is incomplete after that is so in the file. */
const PASSES_MAX = 8;

interface NumberedText {
  readonly number: number;
  readonly text: string;
}

interface Step {
  /** The document to go on with. */
  readonly next: number;
  /** Behind the last. */
  readonly isLast: boolean;
  readonly count: number;
}

interface Rebuild {
  readonly core: Core;
  readonly access: KeyspaceAccess;
  readonly sender: TextSender;
  readonly analyzer: NamedAnalyzer;
}

/** @param onProgress - May read and write; if it throws before all is done, the old index stays. */
export function rebuild(
  core: Core,
  access: KeyspaceAccess,
  sender: TextSender,
  analyzer: NamedAnalyzer,
  onProgress?: (progress: Progress) => void,
): void {
  const work = { core, access, sender, analyzer };
  const total = access.read(() => access.record()?.numbers.count ?? 0);
  const tell = (done: number) => {
    onProgress?.({ done: Math.min(done, total), total, phase: 'index' });
    core.assertOpen();
  };
  tell(0);
  sender.control(messages.BEGIN_REBUILD);
  let from = 1;
  let done = 0;
  let passes = 0;
  // The last step, what is left to catch up with and the change of places are one transaction: else
  // there would always be something left while others write.
  const advance = (): boolean => {
    const step = indexFrom(work, from);
    from = step.next;
    done += step.count;
    if (!step.isLast || catchUp(work) === STEP_CHANGES) return false;
    if (finish(work)) return true;
    // Somebody else who has begun anew meanwhile has thrown away a part.
    if (++passes === PASSES_MAX) throw textDamaged('ids and numbers of documents differ');
    from = 1;
    done = 0;
    return false;
  };
  while (!core.transactions.run(advance)) tell(done);
  tell(total);
}

/** Indexes the next documents; returns where to go on. */
function indexFrom({ core, access, sender, analyzer }: Rebuild, from: number): Step {
  const { source } = core;
  const { texts, next, isLast } = access.read(() => {
    const record = access.record();
    if (record === undefined) return { texts: [], next: from, isLast: true };
    return readTexts(source.of(record), record, from);
  });
  for (const { number, text } of texts) sender.index(number, analyzer.document(text).terms);
  return { next, isLast, count: texts.length };
}

/** As many texts of documents as one transaction takes, from a number on. */
function readTexts(
  source: PageSource,
  record: KeyspaceRecord,
  from: number,
): Omit<Step, 'count'> & { texts: NumberedText[] } {
  const entries = entriesFrom(source, record.numbers, from, STEP_DOCUMENTS);
  const texts: NumberedText[] = [];
  let size = 0;
  for (const { number, value: id } of entries) {
    if (size > STEP_CHARACTERS) return { texts, next: number, isLast: false };
    const text = readText(source, record, number, id);
    if (text === undefined) continue;
    texts.push({ number, text });
    size += text.length;
  }
  const next = (entries.at(-1)?.number ?? from - 1) + 1;
  return { texts, next, isLast: entries.length < STEP_DOCUMENTS };
}

/** The text of a document; undefined when it is gone and only the old index still knows it. */
function readText(
  source: PageSource,
  record: KeyspaceRecord,
  number: number,
  id: Uint8Array,
): string | undefined {
  const start = source.placeKey(id);
  const place = findRecord(source, record.values, start, start + id.length);
  if (place === undefined) return undefined;
  if (recordNumber(source.memory.u8, place.address) !== number) return undefined;
  return textOf(source, record, id);
}

/** Indexes what was changed meanwhile; returns how many documents those were. */
function catchUp({ core, access, sender, analyzer }: Rebuild): number {
  const changes = access.read(() => {
    const record = access.record();
    if (record === undefined) return [];
    const source = core.source.of(record);
    return entriesFrom(source, record.nextPending, 0, STEP_CHANGES).map(({ number }) => {
      const id = recordOf(source, record.numbers, numberKey(number));
      return { number, text: id && readText(source, record, number, id) };
    });
  });
  for (const { number, text } of changes) {
    if (text === undefined) sender.unindex(number);
    else sender.index(number, analyzer.document(text).terms);
  }
  return changes.length;
}

/** The new index takes the place of the old one; false when it lacks something. */
function finish({ access, sender }: Rebuild): boolean {
  const isComplete = access.read(() => {
    const record = access.record();
    if (record === undefined) return true;
    const { counters } = indexOf(record, 'next');
    return record.nextPending.count === 0 && counters.documents === record.values.count;
  });
  if (isComplete) sender.control(messages.END_REBUILD);
  return isComplete;
}
