/**
 * The life of a lazy walk: the snapshot it pins, or the batch it belongs to, and its end.
 */

import { decodePayload, type IntegerMode, type Value } from '../shared/bytes/value-codec.js';
import { MnemeError } from '../shared/errors.js';
import type { KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import { readLongPayload } from '../shared/keyspaces/values.js';
import type { PinnedState } from '../shared/memory/snapshot-pins.js';
import type { PageSource } from '../shared/pages/page-source.js';
import type { Core } from './core.js';
import type { ItemReader } from './item-reader.js';
import type { KeyspaceAccess, View } from './keyspace-access.js';
import type { ItemSource } from './range-iterator.js';

/** What has to be given back when an iterator is collected that nobody ended. */
interface Hold {
  readonly core: Core;
  readonly pinned: PinnedState;
}

const abandoned = new FinalizationRegistry<Hold>(({ core, pinned }) => core.unpin(pinned));

/** A long value that a record says where to find. */
export function readLateValue(
  source: PageSource,
  record: Uint8Array,
  integers: IntegerMode,
): Value {
  const bytes = readLongPayload(source, record, 0, record.length);
  return decodePayload(record[0] as number, bytes, 0, bytes.length, integers);
}

export class ItemIteration<T> implements ItemSource<T> {
  readonly #core: Core;
  readonly #scope: number;
  readonly #view: View | undefined;
  readonly #reader: ItemReader<T> | undefined;
  #pinned: PinnedState | undefined;
  readonly #readLate: (record: Uint8Array) => Value;

  /** @param open - Begins the walk in a keyspace's record; undefined when there is nothing. */
  constructor(
    core: Core,
    access: KeyspaceAccess,
    integers: IntegerMode,
    open: (record: KeyspaceRecord) => ItemReader<T> | undefined,
  ) {
    this.#core = core;
    let { source } = core;
    this.#readLate = (late) => core.readingPinned(() => readLateValue(source, late, integers));
    this.#view = access.view;
    this.#scope = this.#view === undefined ? core.transactions.scope : 0;
    let record: KeyspaceRecord | undefined;
    if (this.#scope !== 0) record = access.freezeBatch();
    else if (this.#view === undefined) this.#pinned = core.pin();
    const state = this.#view?.state ?? this.#pinned?.state;
    try {
      this.#reader = core.readingPinned(() => {
        if (state !== undefined) record = access.recordIn(state);
        if (record !== undefined) source = core.source.of(record);
        const reader = record === undefined ? undefined : open(record);
        reader?.readLeaf();
        return reader;
      });
    } catch (error) {
      this.close();
      throw error;
    }
    if (this.#pinned !== undefined) abandoned.register(this, { core, pinned: this.#pinned }, this);
  }

  next(): { readonly item: T } | undefined {
    const reader = this.#reader;
    this.#assertReadable();
    if (reader === undefined) return undefined;
    if (!reader.hasRead) {
      if (reader.isAtEnd) return undefined;
      this.#core.readingPinned(() => reader.readLeaf());
      if (!reader.hasRead) return undefined;
    }
    return reader.take(this.#readLate);
  }

  #assertReadable(): void {
    if (!this.#core.isOpen || this.#view?.isOpen === false) {
      throw new MnemeError('ERR_MNEME_CLOSED');
    }
    if (this.#scope !== 0 && !this.#core.transactions.isOpen(this.#scope)) {
      throw new MnemeError('ERR_MNEME_BATCH_CLOSED');
    }
  }

  close(): void {
    if (this.#pinned === undefined) return;
    abandoned.unregister(this);
    if (this.#core.isOpen) this.#core.unpin(this.#pinned);
    this.#pinned = undefined;
  }
}
