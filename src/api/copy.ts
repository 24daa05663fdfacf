/**
 * Copies one committed state into an empty database, entry by entry, in the order of keys.
 *
 * Records go over as they are: what they name (numbers of documents, slots of vectors, ids of
 * lists) means the same there. Only payloads in extents are written anew, since a record says where
 * they lie. The target commits after every step, so that a copy of any size takes bounded memory.
 */
import { writeU32 } from '../shared/bytes/integers.js';
import { OVERFLOW_FLAG, payloadOffset, recordDeadline } from '../shared/bytes/value-codec.js';
import { MnemeError } from '../shared/errors.js';
import {
  encodeKeyspace,
  type KeyspaceRecord,
  listKeyspaces,
  type NamedKeyspace,
  RECORD_BYTES_MAX,
  recordForCopy,
  treesForCopy,
} from '../shared/keyspaces/catalog.js';
import { expiredCount } from '../shared/keyspaces/expiry.js';
import { storedRing } from '../shared/keyspaces/key-ring.js';
import { isExpired } from '../shared/keyspaces/values.js';
import { EXTENT_BYTES_MAX, TREE_KEY_BYTES_MAX } from '../shared/limits.js';
import * as messages from '../shared/memory/messages.js';
import type { PinnedState } from '../shared/memory/snapshot-pins.js';
import { dataExtents, overflowPointer, readExtent } from '../shared/pages/overflow-page.js';
import { entryCount } from '../shared/pages/page.js';
import { Cursor } from '../shared/tree/cursor.js';
import { copyKey, SLOT_BYTES, valueAddress, valueLength } from '../shared/tree/node.js';
import type { Tree } from '../shared/tree-root.js';
import type { Core } from './core.js';
import { defineHandle } from './handle-definition.js';
import { OPERATION_BYTES_MAX } from './writer-connection.js';

/** Entries in a commit, and about so many bytes of long values. */
const COMMIT_ENTRIES = 10_000;
const COMMIT_LONG_BYTES = 2 ** 25;
/** For the moment of a copy: nothing has expired. */
export const KEEPS_EXPIRED = -1;

/** A keyspace on its way: what it is in the source, and the target's handle. */
interface CopiedKeyspace {
  readonly record: KeyspaceRecord;
  readonly handle: number;
}

export class DatabaseCopy {
  readonly #source: Core;
  readonly #target: Core;
  readonly #keyspaces: readonly NamedKeyspace[];
  /** Public keys of those who can open what is encrypted. */
  readonly #recipients: readonly Uint8Array[];
  /** Values whose deadline has come by then stay behind. */
  readonly #moment: number;
  readonly #work: Generator<void, void>;
  readonly #extent = Buffer.allocUnsafeSlow(EXTENT_BYTES_MAX);
  #entriesLeft = 0;
  #longBytesLeft = 0;
  #entriesSeen = 0;
  #longBytes = 0;
  /** The source has no more than this, whatever its pages say. */
  readonly #bytesMax: number;
  /** Entries of all trees that are to be copied, and that are. */
  readonly total: number;
  done = 0;
  /** Values and documents, sorted sets and lists, vectors that are to be copied. */
  readonly keys: number;

  /** @param target - An empty database, which nobody else has. */
  constructor(source: Core, { state }: PinnedState, target: Core, moment: number) {
    this.#source = source;
    this.#target = target;
    this.#moment = moment;
    this.#bytesMax = state.pageCount * source.memory.pageSize;
    this.#work = this.#copyAll();
    const { keyspaces, slots, total, keys } = source.readingPinned(() => {
      const found = listKeyspaces(source.source, state.catalog);
      const ring = storedRing(source.source, state.catalog);
      return { keyspaces: found, slots: ring?.slots ?? [], ...this.#count(found) };
    });
    this.#keyspaces = keyspaces;
    this.#recipients = slots.map(({ publicKey }) => publicKey);
    this.total = total;
    this.keys = keys;
  }

  /** Parents that share a child, or records an extent, could make a copy without end. */
  #expectPossible(): void {
    const entriesMax = this.#bytesMax / SLOT_BYTES;
    if (this.#entriesSeen <= entriesMax && this.#longBytes <= this.#bytesMax) return;
    const reason = 'its trees have more than it has room for';
    throw new MnemeError('ERR_MNEME_CORRUPT', { reason });
  }

  #count(keyspaces: readonly NamedKeyspace[]): { total: number; keys: number } {
    let [total, keys] = [0, 0];
    for (const { record } of keyspaces) {
      const expired = this.#expiredIn(record);
      for (const tree of treesForCopy(record).values()) total += tree.count;
      total -= 2 * expired;
      keys += record.values.count - expired + record.names.count + record.vectorSlots.count;
    }
    return { total, keys };
  }

  #expiredIn(record: KeyspaceRecord): number {
    return expiredCount(this.#source.source.of(record), record.expiry, this.#moment);
  }

  /** Copies and commits as much as one commit takes; false when nothing is left. */
  advance(): boolean {
    this.#entriesLeft = COMMIT_ENTRIES;
    this.#longBytesLeft = COMMIT_LONG_BYTES;
    const target = this.#target;
    const { done } = target.transactions.run(() => {
      return this.#source.readingPinned(() => this.#work.next());
    });
    // Else it would be done when a clock says so, and two copies of the same would differ in size.
    target.control(messages.WRITE_BEHIND);
    return done !== true;
  }

  /** Stops wherever a commit is full. */
  *#copyAll(): Generator<void, void> {
    this.#copyKeys();
    for (const { name, record } of this.#keyspaces) {
      const keyspace = this.#begin(name, record);
      for (const [place, tree] of treesForCopy(record)) {
        yield* this.#copyTree(keyspace, place, tree);
      }
    }
  }

  /** Whoever can open the source can open the copy, whose data keys are its own. */
  #copyKeys(): void {
    if (this.#recipients.length === 0) return;
    const bytes = Buffer.concat(this.#recipients);
    this.#target.memory.u8.set(bytes, this.#reserve(bytes.length));
    const fields = { code: messages.COPY_KEYS, flags: 0, handle: 0, number: 0 };
    this.#target.writer.add(fields, 0, bytes.length);
  }

  #begin(name: string, record: KeyspaceRecord): CopiedKeyspace {
    const handle = this.#target.newHandleId();
    const encrypted = record.keyspaceId !== undefined;
    defineHandle(this.#target, handle, name, {
      keys: record.keys,
      encrypted,
      settings: record.text,
    });
    const bytes = new Uint8Array(RECORD_BYTES_MAX);
    const length = encodeKeyspace(recordForCopy(record), bytes, 0);
    const at = this.#reserve(length);
    this.#target.memory.u8.set(bytes.subarray(0, length), at);
    const fields = { code: messages.COPY_KEYSPACE, flags: 0, handle, number: 0 };
    this.#target.writer.add(fields, 0, length);
    return { record, handle };
  }

  /** Where key and value of the next operation go. */
  #reserve(room: number): number {
    const { writer } = this.#target;
    writer.continueBatch(this.#target.now());
    return writer.reserve(room);
  }

  *#copyTree(keyspace: CopiedKeyspace, place: number, tree: Tree): Generator<void, void> {
    const { record } = keyspace;
    const source = this.#source.source.of(record);
    const { memory } = source;
    const cursor = new Cursor(source, tree);
    // The expiry index begins with what is due.
    if (!cursor.seekRank(tree === record.expiry ? this.#expiredIn(record) : 0)) return;
    let { index } = cursor;
    do {
      let leaf = cursor.leaf();
      const count = entryCount(memory, leaf);
      this.#entriesSeen += count;
      this.#expectPossible();
      for (; index < count; index++) {
        if (this.#entriesLeft <= 0 || this.#longBytesLeft <= 0) {
          yield;
          leaf = cursor.leaf();
        }
        this.#copyEntry(keyspace, place, tree, leaf, index);
      }
      index = 0;
    } while (cursor.moveLeaf(1));
  }

  #copyEntry(
    keyspace: CopiedKeyspace,
    place: number,
    tree: Tree,
    leaf: number,
    index: number,
  ): void {
    const { record, handle } = keyspace;
    const { memory } = this.#source;
    const { u8 } = memory;
    const address = valueAddress(memory, leaf, index);
    if (tree === record.values && isExpired(recordDeadline(u8, address), this.#moment)) return;
    const mayBeLong = tree === record.values || tree === record.elements;
    const isLong = mayBeLong && ((u8[address] as number) & OVERFLOW_FLAG) !== 0;
    const payload = isLong ? this.#copyPayload(keyspace, payloadOffset(u8, address)) : 0;
    const length = isLong ? payloadOffset(u8, address) - address : valueLength(memory, leaf, index);
    const at = this.#reserve(TREE_KEY_BYTES_MAX + length + 4);
    const target = this.#target.memory;
    const keyLength = copyKey(memory, leaf, index, target.u8, at);
    const valueAt = at + keyLength;
    target.u8.set(u8.subarray(address, address + length), valueAt);
    if (isLong) writeU32(target.u8, valueAt + length, payload);
    const flags = isLong ? messages.PARTS : 0;
    const fields = { code: messages.COPY_ENTRY, flags, handle, number: place };
    this.#target.writer.add(fields, keyLength, isLong ? length + 4 : length);
    this.#entriesLeft--;
    this.done++;
  }

  /** Sends the payload that extents hold, in parts; returns its length. */
  #copyPayload({ record, handle }: CopiedKeyspace, pointerAt: number): number {
    const source = this.#source.source.of(record);
    const { length, pointer } = overflowPointer(source.memory.u8, pointerAt);
    dataExtents(source, length, pointer).forEach((extent, index) => {
      const size = Math.min(EXTENT_BYTES_MAX, length - index * EXTENT_BYTES_MAX);
      readExtent(source, extent, this.#extent, 0, size);
      this.#sendParts(handle, this.#extent.subarray(0, size));
    });
    this.#longBytesLeft -= length;
    this.#longBytes += length;
    return length;
  }

  #sendParts(handle: number, bytes: Uint8Array): void {
    const { memory, writer } = this.#target;
    for (let start = 0; start < bytes.length; start += OPERATION_BYTES_MAX) {
      const part = bytes.subarray(start, start + OPERATION_BYTES_MAX);
      memory.u8.set(part, this.#reserve(part.length));
      writer.add({ code: messages.PART, flags: 0, handle, number: 0 }, 0, part.length);
    }
  }
}
