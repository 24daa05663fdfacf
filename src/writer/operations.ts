/**
 * The operations on keyspaces within the open transaction, one by one.
 */
import { assert } from '../shared/assert.js';
import { readU32 } from '../shared/bytes/integers.js';
import { utf8Text } from '../shared/bytes/text.js';
import { MnemeError } from '../shared/errors.js';
import type { KeysKind } from '../shared/keyspaces/catalog.js';
import { encodeKeyspace, keyspaceNames, RECORD_BYTES_MAX } from '../shared/keyspaces/catalog.js';
import { decodeSettings, newTextState, type TextSettings } from '../shared/keyspaces/text-state.js';
import { EXTENT_BYTES_MAX, SWEEP_KEYS_MAX, THREAD_SLOT_COUNT } from '../shared/limits.js';
import * as messages from '../shared/memory/messages.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import type { ExtentPointer } from '../shared/pages/overflow-page.js';
import { type AnswerWriter, fittingItems } from './answer.js';
import { CollectionOperations, type OperationContext } from './collection-operations.js';
import type { Engine } from './engine.js';
import { KeyOperations } from './key-operations.js';
import { CatalogWriter } from './keyspaces/catalog.js';
import { CopyWriter } from './keyspaces/copy.js';
import type { OpenKeyspace } from './keyspaces/open-keyspace.js';
import { type DeadlineChange, type KeyRange, ValuesWriter } from './keyspaces/values.js';
import { VectorsWriter } from './keyspaces/vector.js';
import { TextOperations } from './text-operations.js';

/** An engine, and what writes with it. */
interface KnownEngine {
  readonly engine: Engine;
  readonly values: ValuesWriter;
  readonly vectors: VectorsWriter;
  readonly catalog: CatalogWriter;
  readonly copies: CopyWriter;
  readonly collections: CollectionOperations;
  readonly texts: TextOperations;
  readonly keys: KeyOperations;
}

interface Definition {
  readonly name: string;
  readonly keys: KeysKind;
  /** Undefined: as it is stored. */
  readonly encrypted: boolean | undefined;
  /** Of full text. */
  readonly settings: TextSettings | undefined;
}

function askedEncryption(flags: number): boolean | undefined {
  if ((flags & messages.ENCRYPTED) !== 0) return true;
  return (flags & messages.PLAIN) !== 0 ? false : undefined;
}

/** Handles are numbered by each caller. */
function definitionKey(channel: number, handle: number): number {
  return handle * THREAD_SLOT_COUNT + channel;
}

export class KeyspaceOperations {
  readonly #memory: SharedMemory;
  readonly #answer: AnswerWriter;
  readonly #definitions = new Map<number, Definition>();
  #known: KnownEngine | undefined;
  #place = messages.newOperationPlace();
  readonly #longValue = Buffer.alloc(EXTENT_BYTES_MAX);
  #partBytes = 0;
  #partExtents: ExtentPointer[] = [];
  /** Whose segment is being carried out, and the moment at which it was sent. */
  #channel = 0;
  #now = 0;

  constructor(memory: SharedMemory, answer: AnswerWriter) {
    this.#memory = memory;
    this.#answer = answer;
  }

  /** Works on the transactions of another engine from here on. */
  adopt(engine: Engine): void {
    const [values, catalog] = [new ValuesWriter(engine), new CatalogWriter(engine)];
    const collections = new CollectionOperations(engine, this.#answer);
    const [vectors, copies] = [new VectorsWriter(engine), new CopyWriter(engine)];
    const texts = new TextOperations(engine, this.#answer);
    const keys = new KeyOperations(engine, this.#answer, catalog);
    this.#known = { engine, values, vectors, catalog, copies, collections, texts, keys };
  }

  /** What follows is of a segment that this channel sent at `now`. */
  beginSegment(channel: number, now: number): void {
    this.#channel = channel;
    this.#now = now;
  }

  /** What every commit does besides: a bounded few of expired keys and dropped pages go. */
  sweep(): void {
    const { engine, values, catalog } = this.#parts;
    if (engine.isUnchanged) return;
    for (const keyspace of engine.changedKeyspaces()) {
      if (keyspace.record.expiry.level < 0) continue;
      engine.enter(keyspace);
      values.purge(keyspace, this.#now, SWEEP_KEYS_MAX);
    }
    catalog.freeSome();
  }

  /** Makes visible what is gathered of the open transaction. */
  settle(): void {
    this.#known?.texts.settle();
  }

  /** About how many pages more that takes. */
  get pagesToSettle(): number {
    return this.#known?.texts.pagesToSettle ?? 0;
  }

  /** Forgets what is gathered, and a long value whose last part has not come. */
  forget(): void {
    this.#partBytes = 0;
    this.#partExtents = [];
    this.#known?.texts.forget();
  }

  /** What the open transaction works with. */
  get #parts(): KnownEngine {
    assert(this.#known !== undefined, 'a transaction begins with a turn');
    return this.#known;
  }

  get #engine(): Engine {
    return this.#parts.engine;
  }

  get #values(): ValuesWriter {
    return this.#parts.values;
  }

  /** False when the code is not of an operation on keyspaces. */
  run(place: messages.OperationPlace): boolean {
    this.#place = place;
    switch (place.code) {
      case messages.SET:
        this.#set(place);
        break;
      case messages.DELETE:
        this.#flag(this.#delete(this.#keyspace(), this.#key()));
        break;
      case messages.SET_VECTOR:
        this.#parts.vectors.set(this.#keyspace(), this.#key(), place.keyEnd, place.valueEnd);
        break;
      case messages.DELETE_VECTOR:
        this.#flag(this.#parts.vectors.delete(this.#keyspace(), this.#key()));
        break;
      case messages.INCREMENT:
        this.#increment(place);
        break;
      case messages.EXPIRE:
      case messages.PERSIST:
        this.#changeDeadline(place);
        break;
      case messages.DELETE_RANGE:
        this.#deleteRange(place);
        break;
      case messages.PART:
        this.#part(place);
        break;
      case messages.PURGE:
        this.#purge(place);
        break;
      case messages.DROP:
        this.settle();
        this.#flag(this.#parts.catalog.drop(this.#text(place)));
        break;
      case messages.ROOTS:
        this.#roots();
        break;
      case messages.COPY_KEYSPACE:
        this.#parts.copies.begin(this.#keyspace(), place.keyEnd, place.valueEnd);
        break;
      case messages.COPY_ENTRY:
        this.#copyEntry(place);
        break;
      case messages.NAMES:
        this.#answer.bytes(Buffer.from(JSON.stringify(this.#namesFrom(place.number))));
        break;
      default:
        return this.#runOthers(place);
    }
    return true;
  }

  #runOthers(place: messages.OperationPlace): boolean {
    const { collections, texts, keys } = this.#known ?? {};
    if (keys?.run(place) === true) return true;
    if (collections?.run(place, this.#context) === true) return true;
    return texts?.run(place, this.#context) ?? false;
  }

  readonly #context: OperationContext = {
    keyspace: () => this.#keyspace(),
    takeExtents: () => this.#takeExtents(),
    settings: () => this.#definition().settings,
  };

  #flag(value: boolean): void {
    this.#answer.number(value ? 1 : 0);
  }

  #text({ keyEnd, valueEnd }: messages.OperationPlace): string {
    return utf8Text(this.#memory.text, keyEnd, valueEnd);
  }

  /** Learns what a handle means. */
  define(place: messages.OperationPlace): void {
    const keys = (place.flags & messages.BYTES_KEYS) !== 0 ? 'bytes' : 'text';
    const isText = (place.flags & messages.FULL_TEXT) !== 0;
    const { keyStart, keyEnd } = place;
    this.#definitions.set(definitionKey(this.#channel, place.handle), {
      name: this.#text(place),
      keys,
      encrypted: askedEncryption(place.flags),
      settings: isText ? decodeSettings(this.#memory.u8.slice(keyStart, keyEnd)) : undefined,
    });
  }

  #definition(): Definition {
    const definition = this.#definitions.get(definitionKey(this.#channel, this.#place.handle));
    if (definition === undefined) throw new RangeError('the handle was not defined');
    return definition;
  }

  #keyspace(): OpenKeyspace {
    const { name, keys, settings } = this.#definition();
    const keyspace = this.#enter();
    const { record } = keyspace;
    const isText = settings !== undefined;
    if (record.keys === keys && (record.text !== undefined) === isText) return keyspace;
    if (keyspace.exists || keyspace.changed) {
      const stored = record.text === undefined ? record.keys : 'full text';
      throw new MnemeError('ERR_MNEME_TYPE_MISMATCH', { stored, keyspace: name });
    }
    record.keys = keys;
    record.text = settings === undefined ? undefined : newTextState(settings);
    return keyspace;
  }

  /** What follows is about the keyspace of the operation's handle, whatever it is stored as. */
  #enter(): OpenKeyspace {
    const { name, keys, encrypted } = this.#definition();
    const engine = this.#engine;
    const keyspace = engine.keyspace(name, { keys, encrypted: encrypted === true });
    const isEncrypted = keyspace.record.keyspaceId !== undefined;
    if (encrypted === undefined || encrypted === isEncrypted) return keyspace;
    if (keyspace.exists || keyspace.changed) {
      throw new MnemeError('ERR_MNEME_ENCRYPTION_MISMATCH', { keyspace: name });
    }
    engine.forgetKeyspace(name);
    return engine.keyspace(name, { keys, encrypted });
  }

  #key(): KeyRange {
    return { bytes: this.#memory.u8, start: this.#place.keyStart, end: this.#place.keyEnd };
  }

  #set(place: messages.OperationPlace): void {
    const { u8 } = this.#memory;
    const keep = (place.flags & messages.KEEP_TTL) !== 0;
    const deadline = (place.flags & messages.HAS_DEADLINE) !== 0 ? place.number : 0;
    const change: DeadlineChange = { keep, deadline };
    const { keyEnd, valueEnd } = place;
    if ((place.flags & messages.PARTS) === 0) {
      this.#values.set(this.#keyspace(), this.#key(), u8, keyEnd, valueEnd, change, this.#now);
      return;
    }
    const tag = u8[keyEnd] as number;
    const length = readU32(u8, keyEnd + 1);
    this.#enter();
    const extents = this.#takeExtents();
    this.#values.setExtents(this.#keyspace(), this.#key(), tag, extents, length, change, this.#now);
  }

  /** Gathers a long value into extents, which go to the file as they are full. */
  #part({ keyEnd, valueEnd }: messages.OperationPlace): void {
    this.#enter();
    let at = keyEnd;
    while (at < valueEnd) {
      const count = Math.min(valueEnd - at, EXTENT_BYTES_MAX - this.#partBytes);
      this.#longValue.set(this.#memory.u8.subarray(at, at + count), this.#partBytes);
      this.#partBytes += count;
      at += count;
      if (this.#partBytes === EXTENT_BYTES_MAX) this.#flushPart();
    }
  }

  /** The extents of the long value whose last part has come. */
  #takeExtents(): ExtentPointer[] {
    this.#flushPart();
    const extents = this.#partExtents;
    this.#partExtents = [];
    return extents;
  }

  #flushPart(): void {
    if (this.#partBytes === 0) return;
    this.#partExtents.push(this.#engine.overflow.writeExtent(this.#longValue, 0, this.#partBytes));
    this.#partBytes = 0;
  }

  /** True when there was a visible value or a vector. */
  #delete(keyspace: OpenKeyspace, key: KeyRange): boolean {
    const hadValue = this.#values.delete(keyspace, key, this.#now);
    return this.#parts.vectors.delete(keyspace, key) || hadValue;
  }

  #increment(place: messages.OperationPlace): void {
    const low = readU32(this.#memory.u8, place.keyEnd);
    const delta = (BigInt(place.number) << 32n) | BigInt(low);
    const sum = this.#values.increment(this.#keyspace(), this.#key(), delta, this.#now);
    this.#answer.number(Number(BigInt.asIntN(32, sum >> 32n)));
    this.#answer.number(Number(sum & 0xffffffffn));
  }

  #changeDeadline(place: messages.OperationPlace): void {
    const keyspace = this.#keyspace();
    const key = this.#key();
    const values = this.#values;
    if (place.code === messages.PERSIST) {
      const hadDeadline = values.deadlineOf(keyspace, key, this.#now) !== 0;
      if (hadDeadline) values.setDeadline(keyspace, key, 0, this.#now);
      this.#flag(hadDeadline);
      return;
    }
    if (place.number > this.#now) {
      this.#flag(values.setDeadline(keyspace, key, place.number, this.#now));
    } else this.#flag(values.delete(keyspace, key, this.#now));
  }

  #deleteRange(place: messages.OperationPlace): void {
    const { u8 } = this.#memory;
    const low = u8.slice(place.keyStart, place.keyEnd);
    const open = (place.flags & messages.NO_HIGH_BOUND) !== 0;
    const high = open ? undefined : u8.slice(place.keyEnd, place.valueEnd);
    this.#answer.number(this.#values.deleteRange(this.#keyspace(), low, high, this.#now));
    this.#parts.vectors.deleteRange(this.#keyspace(), low, high);
  }

  #purge(place: messages.OperationPlace): void {
    const engine = this.#engine;
    if ((place.flags & messages.ALL_KEYSPACES) === 0) {
      this.#answer.number(this.#values.purge(this.#keyspace(), this.#now));
      return;
    }
    let removed = 0;
    for (const name of this.#names()) {
      if (this.#isLocked(name)) continue;
      removed += this.#values.purge(engine.keyspace(name), this.#now);
    }
    this.#answer.number(removed);
  }

  /** True when a keyspace is encrypted and nobody here has its key. */
  #isLocked(name: string): boolean {
    try {
      this.#engine.keyspace(name);
      return false;
    } catch (error) {
      if (error instanceof MnemeError && error.code === 'ERR_MNEME_KEY_REQUIRED') return true;
      throw error;
    }
  }

  /** All keyspaces as the open transaction sees them. */
  #names(): string[] {
    const engine = this.#engine;
    const names = new Set(keyspaceNames(engine.enterCatalog(), engine.catalog));
    for (const { key } of engine.changedKeyspaces()) {
      names.add(Buffer.from(key.subarray(1)).toString('utf8'));
    }
    return [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  /** Some of the names; whoever asks goes on behind them until there are none. */
  #namesFrom(first: number): string[] {
    return fittingItems(this.#names().slice(first));
  }

  #copyEntry({ flags, number, keyEnd, valueEnd }: messages.OperationPlace): void {
    const isLong = (flags & messages.PARTS) !== 0;
    const extents = isLong ? this.#takeExtents() : undefined;
    const record = { bytes: this.#memory.u8, start: keyEnd, end: valueEnd, extents };
    this.#parts.copies.append(this.#keyspace(), number, this.#key(), record);
  }

  #roots(): void {
    this.settle();
    const keyspace = this.#keyspace();
    if (!keyspace.exists && !keyspace.changed) return;
    const bytes = new Uint8Array(RECORD_BYTES_MAX);
    const length = encodeKeyspace(keyspace.record, bytes, 0);
    this.#answer.bytes(bytes.subarray(0, length));
  }
}
