/**
 * Between a keyspace's handle and the trees: which state it reads, and how its writes are sent.
 */

import { writeU32 } from '../shared/bytes/integers.js';
import { checkWellFormed } from '../shared/bytes/text.js';
import {
  encodedBytesMax,
  encodeFloat,
  encodeValue,
  type Value,
} from '../shared/bytes/value-codec.js';
import { invalidType, MnemeError } from '../shared/errors.js';
import {
  catalogKey,
  decodeKeyspace,
  type KeysKind,
  type KeyspaceRecord,
} from '../shared/keyspaces/catalog.js';
import type { CommittedState } from '../shared/memory/control-block.js';
import * as messages from '../shared/memory/messages.js';
import type { PinnedState } from '../shared/memory/snapshot-pins.js';
import type { Core } from './core.js';
import type { DeadlineRequest } from './deadline.js';
import { checkStoredKind, defineHandle, type HandleKind } from './handle-definition.js';
import { type Key, keyBytes, writeFixedKey, writeKey } from './keys.js';
import { type LongPayload, longPayload } from './long-payload.js';
import { OPERATION_BYTES_MAX, type OperationFields } from './writer-connection.js';

/** Room for the longest key while it is being written. */
const KEY_ROOM = 3072;
const NO_BYTES: Uint8Array = new Uint8Array(0);
/** Longer values go in parts. */
const SHORT_VALUE_MAX = OPERATION_BYTES_MAX - KEY_ROOM;

/** True when a value is too long for one operation. */
export function isLongValue(value: Value): value is string | Uint8Array {
  return encodedBytesMax(value) > SHORT_VALUE_MAX;
}

/** What an operation says besides handle, key and value. */
type Fields = Omit<OperationFields, 'handle'>;

/** One committed state, kept for as long as it is open. */
export interface View {
  readonly state: CommittedState;
  readonly isOpen: boolean;
}

/** A state that nothing changes any more, and what reads it; in between anything may be called. */
export interface StillState {
  readonly record: KeyspaceRecord | undefined;
  readonly read: <T>(read: () => T) => T;
  readonly release: () => void;
}

export class KeyspaceAccess {
  readonly #core: Core;
  readonly #name: string;
  readonly #keys: KeysKind;
  readonly #kind: HandleKind;
  /** The batch that the handle belongs to, 0 for none. */
  readonly #scope: number;
  readonly #view: View | undefined;
  readonly #catalogKey: Uint8Array;
  readonly #handle: number;
  #isDefined = false;
  #seenState: CommittedState | undefined;
  #seenRecord: KeyspaceRecord | undefined;
  #batchRecord: KeyspaceRecord | undefined;
  #batchChange = -1;

  constructor(core: Core, name: string, kind: HandleKind, scope: number, view?: View) {
    this.#core = core;
    this.#name = name;
    this.#keys = kind.keys;
    this.#kind = kind;
    this.#scope = scope;
    this.#view = view;
    this.#catalogKey = catalogKey(Buffer.from(name));
    this.#handle = core.newHandleId();
  }

  assertReadable(): void {
    const isOpen = this.#core.isOpen && this.#view?.isOpen !== false;
    if (!isOpen) throw new MnemeError('ERR_MNEME_CLOSED');
    if (this.#scope !== 0 && !this.#core.transactions.isOpen(this.#scope)) {
      throw new MnemeError('ERR_MNEME_BATCH_CLOSED');
    }
  }

  /** The state that the handle shows for as long as it is open; undefined: the newest. */
  get view(): View | undefined {
    return this.#view;
  }

  assertWritable(): void {
    this.assertReadable();
    if (this.#view !== undefined) throw new MnemeError('ERR_MNEME_READONLY');
    this.#core.assertWritable();
  }

  /** Runs a read of the state that this handle sees. Inside a batch nothing moves meanwhile. */
  read<T>(read: () => T): T {
    if (this.#view !== undefined) return this.#core.readingPinned(read);
    if (!this.#core.transactions.isActive) return this.#core.reading(read);
    this.#loadBatchRecord();
    return this.#core.readingPinned(read);
  }

  /** The state that this handle sees, as it is now, until it is released. */
  holdStill(): StillState {
    const core = this.#core;
    const read = <T>(reading: () => T): T => {
      this.assertReadable();
      return core.readingPinned(reading);
    };
    if (this.#view === undefined && core.transactions.isActive) {
      return { record: this.freezeBatch(), read, release: () => undefined };
    }
    const pinned = this.#view === undefined ? core.pin() : undefined;
    const release = () => {
      if (pinned !== undefined && core.isOpen) core.unpin(pinned);
    };
    try {
      const state = this.#view?.state ?? (pinned as PinnedState).state;
      return { record: read(() => this.recordIn(state)), read, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** The keyspace's record in that state; only within `read`. */
  record(): KeyspaceRecord | undefined {
    const core = this.#core;
    if (this.#view === undefined && core.transactions.isActive) return this.#batchRecord;
    const state = this.#view?.state ?? core.state();
    if (state !== this.#seenState) {
      this.#seenRecord = this.#checkKind(core.recordIn(state, this.#catalogKey));
      this.#seenState = state;
    }
    return this.#seenRecord;
  }

  /** Reads of the state that the batch which runs began with, which nobody changes meanwhile. */
  readBeforeBatch<T>(read: (record: KeyspaceRecord | undefined) => T): T {
    const core = this.#core;
    return core.readingPinned(() => {
      const state = core.state();
      if (state !== this.#seenState) {
        this.#seenRecord = this.recordIn(state);
        this.#seenState = state;
      }
      return read(this.#seenRecord);
    });
  }

  get keyspaceName(): string {
    return this.#name;
  }

  recordIn(state: CommittedState): KeyspaceRecord | undefined {
    return this.#checkKind(this.#core.recordIn(state, this.#catalogKey));
  }

  #checkKind(record: KeyspaceRecord | undefined): KeyspaceRecord | undefined {
    return checkStoredKind(record, this.#kind);
  }

  /** Asks for the batch's roots, unless nothing was written since. */
  #loadBatchRecord(): void {
    const { transactions, writer } = this.#core;
    if (this.#batchChange === transactions.changeCount) return;
    this.#define();
    this.#beginOperation(this.#core.now());
    writer.reserve(0);
    writer.add({ code: messages.ROOTS, flags: 0, handle: this.#handle, number: 0 }, 0, 0);
    const address = writer.send();
    const { u8 } = this.#core.memory;
    const length = writer.answerLength;
    this.#batchRecord = length === 0 ? undefined : decodeKeyspace(u8, address, length);
    this.#batchChange = transactions.changeCount;
  }

  /** The batch's roots, which from here on are never changed in place. */
  freezeBatch(): KeyspaceRecord | undefined {
    const { writer, transactions } = this.#core;
    this.#beginOperation(this.#core.now());
    writer.reserve(0);
    writer.add({ code: messages.FREEZE, flags: 0, handle: 0, number: 0 }, 0, 0);
    transactions.changeCount++;
    this.#loadBatchRecord();
    return this.#batchRecord;
  }

  #define(): void {
    if (this.#isDefined) return;
    defineHandle(this.#core, this.#handle, this.#name, this.#kind);
    this.#isDefined = true;
  }

  #beginOperation(now: number): void {
    this.#define();
    const { writer, transactions } = this.#core;
    if (transactions.isActive) writer.continueBatch(now);
    else writer.begin(true, now);
  }

  /** Sends an operation that answers nothing; in a batch it waits to be sent with others. */
  #finishSilent(): void {
    const { writer, transactions } = this.#core;
    if (transactions.isActive) transactions.changeCount++;
    else writer.send();
  }

  /** Sends an operation and returns where its answer lies. */
  #finishAnswered(): number {
    const { writer, transactions } = this.#core;
    if (transactions.isActive) transactions.changeCount++;
    return writer.send();
  }

  #number(address: number): number {
    return this.#core.memory.f64[address >>> 3] as number;
  }

  /** @throws {TypeError | MnemeError} when the value cannot be stored. */
  checkValue(value: Value): void {
    if (typeof value === 'string') checkWellFormed(value, 'value');
    else if (!['number', 'bigint'].includes(typeof value) && !(value instanceof Uint8Array)) {
      throw invalidType('value', 'a string, number, bigint or Uint8Array', value);
    }
  }

  set(key: Key, value: Value, request: DeadlineRequest, now: number): void {
    this.assertWritable();
    if (isLongValue(value)) {
      this.#setLong(key, value, request, now);
      return;
    }
    this.#beginOperation(now);
    const { writer, memory } = this.#core;
    const at = writer.reserve(KEY_ROOM + encodedBytesMax(value));
    const keyLength = writeKey(key, this.#keys, memory.text, at);
    const valueLength = encodeValue(value, memory.text, at + keyLength);
    const { flags, deadline } = request;
    const fields = { code: messages.SET, flags, handle: this.#handle, number: deadline };
    writer.add(fields, keyLength, valueLength);
    this.#finishSilent();
  }

  setFloat(key: Key, value: number, request: DeadlineRequest, now: number): void {
    this.assertWritable();
    this.#beginOperation(now);
    const { writer, memory } = this.#core;
    const at = writer.reserve(KEY_ROOM);
    const keyLength = writeKey(key, this.#keys, memory.text, at);
    const valueLength = encodeFloat(value, memory.text, at + keyLength);
    const { flags, deadline } = request;
    const fields = { code: messages.SET, flags, handle: this.#handle, number: deadline };
    writer.add(fields, keyLength, valueLength);
    this.#finishSilent();
  }

  /** A long value goes in parts, all in one transaction. */
  #setLong(key: Key, value: string | Uint8Array, request: DeadlineRequest, now: number): void {
    const long = longPayload(value);
    const name = keyBytes(key, this.#keys);
    const { flags, deadline } = request;
    const send = () => {
      this.#addLong({ code: messages.SET, flags, number: deadline }, name, long, now);
      this.#finishSilent();
    };
    if (this.#core.transactions.isActive) send();
    else this.#core.transactions.run(send);
  }

  /** Sends an operation on a long value, in the batch that runs; returns where its answer lies. */
  sendLong(fields: Fields, key: Uint8Array, value: string | Uint8Array): number {
    this.#addLong(fields, key, longPayload(value), this.#core.now());
    return this.#finishAnswered();
  }

  #addLong(fields: Fields, key: Uint8Array, { tag, bytes }: LongPayload, now: number): void {
    this.#sendValueParts(bytes, now);
    this.#beginOperation(now);
    const { writer, memory } = this.#core;
    const at = writer.reserve(KEY_ROOM);
    memory.u8.set(key, at);
    memory.u8[at + key.length] = tag;
    writeU32(memory.u8, at + key.length + 1, bytes.length);
    const flags = fields.flags | messages.PARTS;
    writer.add({ ...fields, flags, handle: this.#handle }, key.length, 5);
  }

  #sendValueParts(bytes: Uint8Array, now: number): void {
    const { writer, memory } = this.#core;
    for (let offset = 0; offset < bytes.length; offset += SHORT_VALUE_MAX) {
      const part = bytes.subarray(offset, offset + SHORT_VALUE_MAX);
      this.#beginOperation(now);
      const at = writer.reserve(part.length);
      memory.u8.set(part, at);
      writer.add(
        { code: messages.PART, flags: 0, handle: this.#handle, number: 0 },
        0,
        part.length,
      );
    }
  }

  /** Sends an operation as its bytes are; returns where its answer lies. */
  sendBytes(fields: Fields, key: Uint8Array, value: Uint8Array): number {
    this.#addBytes(fields, key, value);
    return this.#finishAnswered();
  }

  #addBytes(fields: Fields, key: Key, value: Uint8Array, more = NO_BYTES): void {
    const { code, flags, number } = fields;
    const { writer, memory } = this.#core;
    // These do not depend on the time.
    if (!this.#isDefined || !writer.isUnderWay) this.#beginOperation(this.#core.now());
    const size = value.length + more.length;
    const at = writer.reserve(size + (typeof key === 'string' ? KEY_ROOM : key.length));
    const keyLength = writeFixedKey(key, this.#keys, memory.text, at);
    memory.u8.set(value, at + keyLength);
    if (more.length > 0) memory.u8.set(more, at + keyLength + value.length);
    writer.add({ code, flags, handle: this.#handle, number }, keyLength, size);
  }

  /** Adds an operation that answers nothing to the batch that runs; keys are known to be keys. */
  gatherBytes(fields: Fields, key: Key, value: Uint8Array, more?: Uint8Array): void {
    this.#addBytes(fields, key, value, more);
    this.#finishSilent();
  }

  /** Sends operations one by one; several are one transaction. */
  sendParts(parts: readonly Uint8Array[], send: (part: Uint8Array) => void): void {
    if (parts.length <= 1) parts.forEach(send);
    else this.#core.transactions.run(() => parts.forEach(send));
  }

  setVector(key: Key, vector: Float32Array): void {
    this.#beginOperation(this.#core.now());
    const { writer, memory } = this.#core;
    const at = writer.reserve(KEY_ROOM + vector.byteLength);
    const keyLength = writeKey(key, this.#keys, memory.text, at);
    memory.u8.set(new Uint8Array(vector.buffer), at + keyLength);
    const fields = { code: messages.SET_VECTOR, flags: 0, handle: this.#handle, number: 0 };
    writer.add(fields, keyLength, vector.byteLength);
    this.#finishSilent();
  }

  /** Sends an operation on one key and returns its answer. */
  sendKey(code: number, key: Key, number: number, now: number): number {
    this.assertWritable();
    this.#beginOperation(now);
    const { writer, memory } = this.#core;
    const at = writer.reserve(KEY_ROOM);
    const keyLength = writeKey(key, this.#keys, memory.text, at);
    writer.add({ code, flags: 0, handle: this.#handle, number }, keyLength, 0);
    return this.#number(this.#finishAnswered());
  }

  sendIncrement(key: Key, delta: bigint, now: number): bigint {
    this.#beginOperation(now);
    const { writer, memory } = this.#core;
    const at = writer.reserve(KEY_ROOM);
    const keyLength = writeKey(key, this.#keys, memory.text, at);
    writeU32(memory.u8, at + keyLength, Number(BigInt.asUintN(32, delta)));
    const number = Number(delta >> 32n);
    const fields = { code: messages.INCREMENT, flags: 0, handle: this.#handle, number };
    writer.add(fields, keyLength, 4);
    const answer = this.#finishAnswered();
    return (BigInt(this.#number(answer)) << 32n) | BigInt(this.#number(answer + 8));
  }

  sendRange(low: Uint8Array | undefined, high: Uint8Array | undefined, now: number): number {
    this.assertWritable();
    this.#beginOperation(now);
    const { writer, memory } = this.#core;
    const at = writer.reserve(2 * KEY_ROOM);
    const keyLength = low?.length ?? 0;
    if (low !== undefined) memory.u8.set(low, at);
    if (high !== undefined) memory.u8.set(high, at + keyLength);
    const flags = high === undefined ? messages.NO_HIGH_BOUND : 0;
    const fields = { code: messages.DELETE_RANGE, flags, handle: this.#handle, number: 0 };
    writer.add(fields, keyLength, high?.length ?? 0);
    return this.#number(this.#finishAnswered());
  }

  sendPurge(now: number): number {
    this.assertWritable();
    this.#beginOperation(now);
    const { writer } = this.#core;
    writer.reserve(0);
    writer.add({ code: messages.PURGE, flags: 0, handle: this.#handle, number: 0 }, 0, 0);
    return this.#number(this.#finishAnswered());
  }
}
