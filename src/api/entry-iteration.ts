/**
 * The life of a range: the snapshot it pins, or the batch it belongs to, and its end.
 */

import { decodePayload, type Value } from '../shared/bytes/value-codec.js';
import { MnemeError } from '../shared/errors.js';
import type { KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import { readLongPayload } from '../shared/keyspaces/values.js';
import type { PinnedState } from '../shared/memory/snapshot-pins.js';
import type { PageSource } from '../shared/pages/page-source.js';
import type { Core } from './core.js';
import type { Key } from './keys.js';
import type { KeyspaceAccess, View } from './keyspace-access.js';
import { EntryReader, type EntryStyle, type RangeRequest } from './range.js';
import type { ItemSource } from './range-iterator.js';

/** What has to be given back when an iterator is collected that nobody ended. */
interface Hold {
  readonly core: Core;
  readonly pinned: PinnedState;
}

const abandoned = new FinalizationRegistry<Hold>(({ core, pinned }) => core.unpin(pinned));

export class EntryIteration<K extends Key> implements ItemSource<[K, Value]> {
  readonly #core: Core;
  readonly #style: EntryStyle;
  readonly #scope: number;
  readonly #view: View | undefined;
  readonly #reader: EntryReader<K> | undefined;
  #pinned: PinnedState | undefined;
  readonly #readLate = (record: Uint8Array): Value => this.#decodeLate(record);

  constructor(
    core: Core,
    access: KeyspaceAccess,
    source: PageSource,
    request: RangeRequest,
    style: EntryStyle,
    now: number,
  ) {
    this.#core = core;
    this.#style = style;
    this.#view = access.view;
    this.#scope = this.#view === undefined ? core.transactions.scope : 0;
    let record: KeyspaceRecord | undefined;
    if (this.#scope !== 0) record = access.freezeBatch();
    else if (this.#view === undefined) this.#pinned = core.pin();
    const state = this.#view?.state ?? this.#pinned?.state;
    try {
      this.#reader = core.readingPinned(() => {
        if (state !== undefined) record = access.recordIn(state);
        if (record === undefined) return undefined;
        const reader = new EntryReader<K>(source, record, request, style, now);
        reader.readLeaf();
        return reader;
      });
    } catch (error) {
      this.close();
      throw error;
    }
    if (this.#pinned !== undefined) abandoned.register(this, { core, pinned: this.#pinned }, this);
  }

  next(): { readonly item: [K, Value] } | undefined {
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

  #decodeLate(record: Uint8Array): Value {
    return this.#core.readingPinned(() => {
      const bytes = readLongPayload(this.#core.source, record, 0, record.length);
      return decodePayload(record[0] as number, bytes, 0, bytes.length, this.#style.integers);
    });
  }

  close(): void {
    if (this.#pinned === undefined) return;
    abandoned.unregister(this);
    if (this.#core.isOpen) this.#core.unpin(this.#pinned);
    this.#pinned = undefined;
  }
}
