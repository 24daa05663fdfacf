/**
 * Small transactions gathered for one commit, against maps of values and of documents: what was
 * answered is there, and indexed, what failed has changed nothing, whatever else fails before, in
 * or after it.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeSettings } from '../dist/shared/keyspaces/text-state.js';
import { answerAddress, segmentAddress } from '../dist/shared/memory/channel.js';
import * as messages from '../dist/shared/memory/messages.js';
import { createMemoryHandle, SharedMemory } from '../dist/shared/memory/shared-memory.js';
import { claimThreadSlot } from '../dist/shared/memory/thread-slots.js';
import { NO_LOCKS } from '../dist/shared/pages/file-locks.js';
import { Gathering } from '../dist/writer/gathering.js';
import { RequestExecutor } from '../dist/writer/requests.js';
import { WriterTurn } from '../dist/writer/turn.js';
import { announce, GATHERING_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from './counts.js';
import { BOOT, EngineRun, emptyDatabase, SETTINGS, TEXTS, termsOf } from './crash/engine-run.js';
import { SimulatedFile } from './crash/simulated-disk.js';

/** The slot of a caller; the writer's own is 0. */
const CHANNEL = 1;
const HANDLE = 1;
const TEXT_HANDLE = 2;
const KEY_COUNT = 3000;
/** Some of the words stand in few documents, some in most: lists of all lengths. */
const WORD_COUNT = 3000;
const FREQUENT_COUNT = 20;
const TEXTS_MAX = 30;
const EXPIRED = 'expired ';
const NOW = 1000;
const PAGE_BYTES = 4096;
/** The smallest cache, which holds not all of the keys: requests read pages, and can fail at it. */
const memory = new SharedMemory(createMemoryHandle(PAGE_BYTES, 0));
const empty = memory.u8.slice(0, memory.framesAddress);

class Disk extends SimulatedFile {
  /** How many reads go well before one fails. */
  readsLeft = Number.POSITIVE_INFINITY;

  /** One fault at a time: after two, what was answered may be lost, and no more is written. */
  heal(): void {
    this.capacity = Number.POSITIVE_INFINITY;
    this.readsLeft = Number.POSITIVE_INFINITY;
  }

  override read(target: Uint8Array, targetOffset: number, length: number, offset: number): number {
    if (this.readsLeft-- > 0) return super.read(target, targetOffset, length, offset);
    this.readsLeft = Number.POSITIVE_INFINITY;
    throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'read' });
  }
}

interface Request {
  readonly code: number;
  readonly key: string | Uint8Array;
  readonly value: Uint8Array;
  readonly flags?: number;
  readonly number?: number;
  readonly handle?: number;
}

type Step =
  | { readonly kind: 'set'; readonly key: number; readonly length: number }
  | { readonly kind: 'delete' | 'increment' | 'set expired'; readonly key: number }
  | {
      readonly kind: 'put texts';
      readonly key: number;
      readonly count: number;
      readonly words: readonly number[];
    }
  | { readonly kind: 'delete text'; readonly key: number }
  /** With a read that fails at it, if there is one. */
  | { readonly kind: 'settle'; readonly readsBefore: number }
  /** What is answered finds room. */
  | { readonly kind: 'settle on a full disk' }
  /** The disk has room for so many pages more, until the next fault. */
  | { readonly kind: 'fill the disk'; readonly pages: number }
  | { readonly kind: 'fail a read'; readonly readsBefore: number };

const word = fc.oneof(fc.nat(FREQUENT_COUNT), fc.nat(WORD_COUNT), fc.nat(WORD_COUNT));

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      key: fc.nat(KEY_COUNT),
      length: fc.integer({ min: 0, max: 900 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('delete' as const, 'increment' as const, 'set expired' as const),
      key: fc.nat(KEY_COUNT),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('put texts' as const),
      key: fc.nat(KEY_COUNT),
      count: fc.oneof(fc.constant(1), fc.nat(TEXTS_MAX)),
      words: fc.array(word, { minLength: 1, maxLength: 60 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('delete text' as const), key: fc.nat(KEY_COUNT) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('settle' as const), readsBefore: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('settle on a full disk' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('fill the disk' as const), pages: fc.nat(4) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('fail a read' as const), readsBefore: fc.nat(6) }),
  },
);

/** The writer without its thread, on a disk that can fail. */
class Writer {
  readonly file = new Disk(emptyDatabase());
  readonly #turn: WriterTurn;
  readonly #executor: RequestExecutor;
  readonly gathering: Gathering;
  readonly model = new Map<string, string>();
  readonly documents = new Map<string, string>();
  failed = 0;
  #sent = 0;

  constructor() {
    memory.u8.set(empty);
    memory.u8.fill(0, memory.tableAddress, memory.framesAddress);
    const slot = claimThreadSlot(memory, 0);
    const options = { bootId: BOOT, sync: 'none', locks: NO_LOCKS, lockTimeoutMs: 0 } as const;
    this.#turn = new WriterTurn({
      ...{ memory, slot, file: this.file, ...options, isStillAt: () => true },
    });
    this.#executor = new RequestExecutor(memory, this.#turn);
    this.gathering = new Gathering(memory, this.#executor, slot);
    this.#define({ code: messages.DEFINE, key: '', value: Buffer.from('a') });
    const text = { flags: messages.FULL_TEXT, handle: TEXT_HANDLE };
    const [key, value] = [encodeSettings(SETTINGS), Buffer.from(TEXTS)];
    this.#define({ code: messages.DEFINE, key, value, ...text });
  }

  #define(request: Request): void {
    const address = this.#write(request);
    this.#executor.runAnytime({ channel: CHANNEL, address, isOwn: false });
  }

  #write({ code, key, value, flags = 0, number = 0, handle = HANDLE }: Request): number {
    const address = segmentAddress(CHANNEL, this.#sent++);
    const start = address + messages.SEGMENT_HEADER_BYTES;
    const at = start + messages.OPERATION_HEADER_BYTES;
    const name = Buffer.from(key);
    memory.u8.set(name, at);
    memory.u8.set(value, at + name.length);
    const fields = { code, flags, handle, number };
    const end = messages.finishOperation(memory, start, fields, name.length, value.length);
    memory.i32[address >>> 2] = end - start;
    memory.f64[(address >>> 3) + 1] = NOW;
    return address;
  }

  /** True when the request was answered without an error. */
  send(request: Request): boolean {
    const segment = { channel: CHANNEL, address: this.#write(request), isOwn: true };
    if (!this.gathering.take(segment)) {
      this.gathering.settle();
      this.#executor.run(segment);
    }
    const isDone = memory.i32[answerAddress(CHANNEL) >>> 2] === 0;
    if (!isDone) this.failed++;
    return isDone;
  }

  set(key: string, value: string): void {
    const record = { code: messages.SET, key, value: Buffer.from(`\0${value}`) };
    if (this.send(record)) this.model.set(key, value);
  }

  /** Each commit removes a few of these, for which it reads pages far from each other. */
  setExpired(key: number): void {
    const value = Buffer.from('\0'.padEnd(900, 'x'));
    const number = 1 + ((key * 7919) % (NOW - 1));
    const flags = messages.HAS_DEADLINE;
    this.send({ code: messages.SET, key: `${EXPIRED}${key}`, value, flags, number });
  }

  delete(key: string): void {
    const nothing = new Uint8Array(0);
    if (this.send({ code: messages.DELETE, key, value: nothing })) this.model.delete(key);
  }

  /** Text cannot be incremented; what is absent becomes 1. */
  increment(key: string): void {
    const one = Uint8Array.of(1, 0, 0, 0);
    const isDone = this.send({ code: messages.INCREMENT, key, value: one });
    if (isDone) this.model.set(key, String(Number(this.model.get(key) ?? 0) + 1));
  }

  putText(key: string, text: string): void {
    const terms = termsOf(text);
    const sent = Buffer.concat([Buffer.from(`\0${text}`), terms.bytes.subarray(0, terms.end)]);
    const fields = { code: messages.PUT_TEXT, number: terms.end, handle: TEXT_HANDLE };
    if (this.send({ ...fields, key, value: sent })) this.documents.set(key, text);
  }

  deleteText(key: string): void {
    const fields = { code: messages.DELETE_TEXT, handle: TEXT_HANDLE };
    if (this.send({ ...fields, key, value: new Uint8Array(0) })) this.documents.delete(key);
  }

  settle(readsBefore: number): void {
    this.file.heal();
    this.file.readsLeft = readsBefore;
    this.gathering.settle();
    this.file.heal();
  }

  settleOnFullDisk(): void {
    this.file.heal();
    this.file.capacity = this.file.size();
    this.gathering.settle();
    this.file.heal();
  }

  /** Another process finds in the file after a moment what was answered; and it is sound. */
  expectInFile(): void {
    this.gathering.settle();
    this.file.heal();
    this.#turn.engine?.writeBehind();
    const run = new EngineRun(this.file.image.copy(), 'none');
    expect(run.problems()).toEqual([]);
    const values = [...run.read()].filter(([key]) => !key.startsWith(EXPIRED));
    expect(new Map(values)).toEqual(this.model);
    expect(run.read(TEXTS)).toEqual(this.documents);
  }
}

function perform(writer: Writer, { step, number }: { step: Step; number: number }): void {
  const { file } = writer;
  if (step.kind === 'fill the disk') {
    file.heal();
    file.capacity = file.size() + step.pages * PAGE_BYTES;
  } else if (step.kind === 'fail a read') {
    file.heal();
    file.readsLeft = step.readsBefore;
  } else if (step.kind === 'settle on a full disk') writer.settleOnFullDisk();
  else if (step.kind === 'settle') writer.settle(step.readsBefore);
  else if (step.kind === 'put texts') {
    for (let text = 0; text < step.count; text++) {
      const words = step.words.map((word) => `word${(word + text * FREQUENT_COUNT) % WORD_COUNT}`);
      writer.putText(`document ${step.key + text}`, words.join(' '));
    }
  } else if (step.kind === 'delete text') writer.deleteText(`document ${step.key}`);
  else {
    const key = `key ${step.key}`;
    if (step.kind === 'set') writer.set(key, `${number}:`.padEnd(step.length, 'x'));
    else if (step.kind === 'delete') writer.delete(key);
    else if (step.kind === 'set expired') writer.setExpired(step.key);
    else writer.increment(key);
  }
}

test('gathered transactions are there when they were answered, and not when they failed', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  const { runs, stepsMax } = GATHERING_COUNTS;
  let failed = 0;
  const steps = fc.array(step, { maxLength: stepsMax, size: 'max' });
  fc.assert(
    fc.property(steps, (list) => {
      const writer = new Writer();
      for (let key = 0; key < KEY_COUNT; key += 2) writer.set(`key ${key}`, 'first'.padEnd(500));
      for (let key = 0; key < KEY_COUNT; key += 2) writer.setExpired(key);
      for (let key = 0; key < KEY_COUNT; key += 5) {
        const words = [1, 7, 77, 777].map((factor) => `word${(key * factor) % WORD_COUNT}`);
        writer.putText(
          `document ${key}`,
          ['word0', `word${key % FREQUENT_COUNT}`, ...words].join(' '),
        );
      }
      writer.expectInFile();
      for (const [number, step] of list.entries()) perform(writer, { step, number });
      writer.expectInFile();
      failed += writer.failed;
    }),
    { numRuns: runs, seed: SEED, interruptAfterTimeLimit: 60_000 },
  );
  expect(failed).toBeGreaterThan(0);
  announce('gathered transactions', runs);
});

/** The words of the text with a number, some of them rare. */
function wordsOf(text: number): string {
  const words = [1, 7, 77, 777, 7777].map((factor) => `word${(text * factor) % WORD_COUNT}`);
  return [...words, `word${text % FREQUENT_COUNT}`].join(' ');
}

test('what is answered of documents has room in the file to be indexed', () => {
  const writer = new Writer();
  const { file, gathering } = writer;
  for (let text = 0; text < KEY_COUNT; text++) writer.putText(`document ${text}`, wordsOf(text));
  for (let round = 0; round < 10; round++) {
    writer.expectInFile();
    for (let text = 0; text < 100; text++) {
      writer.putText(`new ${round} ${text}`, wordsOf(round * 1009 + text * 31));
    }
    expect(gathering.isOpen).toBe(true);
    file.capacity = file.size();
    gathering.settle();
    file.heal();
  }
  writer.expectInFile();
  expect(writer.failed).toBe(0);
});
