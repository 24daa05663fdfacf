/**
 * Carries out the segments of requests: the whole of what the writer does, without its thread.
 */

import { AssertionError, assert } from '../shared/assert.js';
import { ioError, MnemeError, type MnemeErrorCode } from '../shared/errors.js';
import { ANSWER_PAYLOAD_BYTES_MAX } from '../shared/memory/channel.js';
import * as messages from '../shared/memory/messages.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import { AnswerWriter } from './answer.js';
import { unusedRuns } from './check-file.js';
import type { Engine } from './engine.js';
import { KeyspaceOperations } from './operations.js';
import type { WriterTurn } from './turn.js';

/** Failures that change nothing: the batch they happen in can go on. */
const HARMLESS: ReadonlySet<MnemeErrorCode> = new Set([
  'ERR_MNEME_TYPE_MISMATCH',
  'ERR_MNEME_INTEGER_OVERFLOW',
  'ERR_MNEME_DIMENSION_MISMATCH',
  'ERR_MNEME_ANALYZER_MISMATCH',
  'ERR_MNEME_KEY_REQUIRED',
  'ERR_MNEME_KEY_NOT_FOUND',
  'ERR_MNEME_LAST_KEY',
  'ERR_MNEME_ENCRYPTION_MISMATCH',
]);

/** The file grows ahead by so much for documents that are not indexed yet; then they are. */
const ROOM_BYTES_MIN = 4 * 2 ** 20;
const ROOM_SHARE = 1 / 8;

function isHarmless(error: unknown): boolean {
  return error instanceof MnemeError && HARMLESS.has(error.code);
}

/** A segment that the writer has taken. */
export interface Segment {
  readonly channel: number;
  readonly address: number;
  /** True when it is a transaction of its own. */
  readonly isOwn: boolean;
  /** Where the answer goes, when it is not the segment's channel. */
  readonly answerChannel?: number;
}

export class RequestExecutor {
  readonly #turn: WriterTurn;
  readonly #memory: SharedMemory;
  #known: Engine | undefined;
  readonly #answer: AnswerWriter;
  readonly #operations: KeyspaceOperations;
  readonly #place = messages.newOperationPlace();
  /** What broke the open batch; all it can do is to be aborted. */
  #broken: unknown;
  closed = false;

  constructor(memory: SharedMemory, turn: WriterTurn) {
    this.#turn = turn;
    this.#memory = memory;
    this.#answer = new AnswerWriter(memory);
    this.#operations = new KeyspaceOperations(memory, this.#answer);
  }

  /** Waits for the turn to write; from here on the engine is one that knows the newest state. */
  #takeTurn(timeoutMs?: number): Engine {
    const engine = this.#turn.take(timeoutMs);
    if (this.#known !== engine) {
      this.#known = engine;
      this.#operations.adopt(engine);
      engine.source.enter();
    }
    return engine;
  }

  /** Runs a segment and writes its answer. Throws nothing but our own mistakes. */
  run(segment: Segment): void {
    const { start, end } = this.#open(segment);
    this.#known?.source.enter();
    try {
      if (segment.isOwn) this.#runAlone(start, end);
      else this.#runInBatch(start, end);
      this.#answer.finish(0);
    } catch (error) {
      if (error instanceof AssertionError) this.#known?.refuse(error);
      this.#answer.fail(error);
    } finally {
      this.#known?.source.leave();
    }
  }

  /**
   * Runs transactions that wait at the same time in one commit, so that they share its sync. Where
   * that fails each runs alone, and the error goes to whom it belongs.
   */
  runTogether(segments: readonly Segment[]): void {
    const begun = this.#takeTurnOrFail();
    if (begun === undefined || !this.#commitTogether(begun, segments)) {
      for (const segment of segments) this.run(segment);
    }
  }

  #takeTurnOrFail(): Engine | undefined {
    try {
      return this.#takeTurn();
    } catch {
      return undefined; // each of them is told when it runs alone
    }
  }

  #commitTogether(engine: Engine, segments: readonly Segment[]): boolean {
    engine.source.enter();
    try {
      engine.begin();
      for (const segment of segments) this.#runMember(segment);
      this.#operations.settle();
      this.#commit();
      return true;
    } catch {
      this.#abort();
      return false; // each runs alone then, and meets its own error again
    } finally {
      engine.source.leave();
    }
  }

  #runMember(segment: Segment): void {
    const { start, end } = this.#open(segment);
    try {
      this.#runOperations(start, end);
      this.#answer.finish(0);
    } catch (error) {
      if (!isHarmless(error)) throw error;
      this.#answer.fail(error);
    }
  }

  /** Begins the answer to a segment; returns where its operations are. */
  #open({ channel, address, answerChannel }: Segment): { start: number; end: number } {
    const { i32, f64 } = this.#memory;
    this.#operations.beginSegment(channel, f64[(address >>> 3) + 1] as number);
    this.#answer.begin(answerChannel ?? channel);
    const start = address + messages.SEGMENT_HEADER_BYTES;
    return { start, end: start + (i32[address >>> 2] as number) };
  }

  /** Learns what a handle means, if that is what the segment says, whoever's batch is open. */
  runAnytime(segment: Segment): void {
    const { start } = this.#open(segment);
    messages.readOperation(this.#memory, start, this.#place);
    if (this.#place.code === messages.DEFINE) this.#operations.define(this.#place);
    this.#answer.finish(0);
  }

  /** Begins a transaction for several requests; false when they have to meet the error alone. */
  beginGathered(): boolean {
    try {
      this.#takeTurn().begin();
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Runs and answers a request in the gathered transaction. False, with no answer, when it may have
   * failed half way, or there may be no room to commit it.
   */
  runGathered(segment: Segment): boolean {
    const { source } = this.#engine;
    source.enter();
    try {
      this.#runMember(segment);
      this.#makeRoom();
      return true;
    } catch {
      return false; // it meets its error again alone
    } finally {
      source.leave();
    }
  }

  /** What is gathered without room in the file could not be committed any more. */
  #makeRoom(): void {
    const { committedPageCount } = this.#engine;
    const pagesMin = ROOM_BYTES_MIN / this.#memory.pageSize;
    const pagesMax = Math.max(pagesMin, committedPageCount * ROOM_SHARE);
    if (this.#operations.pagesToSettle > pagesMax) this.#operations.settle();
    this.#engine.reserveRoom(this.#operations.pagesToSettle);
  }

  /** Commits `count` gathered requests; false when that fails and they are undone. */
  commitGathered(count: number): boolean {
    const { source } = this.#engine;
    source.enter();
    try {
      this.#operations.settle();
      this.#commit(count);
      return true;
    } catch {
      return false; // without the sweep it finds the room that was reserved
    } finally {
      source.leave();
    }
  }

  /** Undoes the gathered transaction and commits anew, without a sweep, what has been answered. */
  runAnsweredAgain(count: number, segmentAt: (index: number) => Segment): void {
    this.#abort();
    const engine = this.#engine;
    engine.source.enter();
    try {
      engine.begin();
      for (let index = 0; index < count; index++) this.#runMember(segmentAt(index));
      this.#operations.settle();
      engine.commit(count);
    } catch (error) {
      this.#abort();
      engine.refuse(ioError(error)); // what was answered is lost: nothing more may be built on it
    } finally {
      engine.source.leave();
    }
  }

  /** Undoes the batch of a caller that is gone. */
  abandonBatch(): void {
    this.#abort();
  }

  #runAlone(start: number, end: number): void {
    this.#takeTurn().begin();
    try {
      this.#runOperations(start, end);
      this.#operations.settle();
    } catch (error) {
      this.#abort();
      throw error;
    }
    this.#commit();
  }

  #runInBatch(start: number, end: number): void {
    const { u8 } = this.#memory;
    if (this.#broken !== undefined && u8[start] !== messages.ABORT) throw this.#broken;
    try {
      this.#runOperations(start, end);
    } catch (error) {
      if (!isHarmless(error) && this.#known?.isOpen === true) this.#broken = error;
      throw error;
    }
  }

  #commit(count = 1): void {
    const engine = this.#engine;
    try {
      this.#operations.sweep();
    } catch (error) {
      this.#abort();
      throw error;
    }
    engine.commit(count);
  }

  get #engine(): Engine {
    assert(this.#known !== undefined, 'a transaction begins with a turn');
    return this.#known;
  }

  #abort(): void {
    this.#broken = undefined;
    this.#operations.forget();
    if (this.#known?.isOpen === true) this.#known.abort();
  }

  #runOperations(start: number, end: number): void {
    const place = this.#place;
    for (let at = start; at < end; at = place.next) {
      messages.readOperation(this.#memory, at, place);
      this.#known?.relieveCache();
      if (!this.#operations.run(place)) this.#runControl(place);
    }
  }

  /** True when the code is of what is done between transactions, turn or not. */
  #runBetween(place: messages.OperationPlace): boolean {
    switch (place.code) {
      case messages.BEGIN:
        this.#takeTurn().begin();
        return true;
      case messages.ABORT:
        this.#abort();
        return true;
      case messages.DEFINE:
        this.#operations.define(place);
        return true;
      case messages.SYNC:
        this.#takeTurn().sync();
        return true;
      case messages.WRITE_BEHIND:
        if (this.#turn.isHeld) this.#engine.writeBehind();
        return true;
      case messages.CLOSE:
        this.closed = true;
        this.#close();
        return true;
      default:
        return false;
    }
  }

  /** Some of the runs; whoever asks goes on behind them until there are none. */
  #unused(first: number): void {
    const room = Math.floor(ANSWER_PAYLOAD_BYTES_MAX / messages.UNUSED_RUN_BYTES);
    for (const { start, length, isLog } of unusedRuns(this.#engine).slice(first, first + room)) {
      this.#answer.number(start);
      this.#answer.number(length);
      this.#answer.number(isLog ? 1 : 0);
    }
  }

  /** Makes everything durable; a confirmation for the next one to open is written if it may be. */
  #close(): void {
    const known = this.#turn.engine;
    if (known === undefined) return;
    const owesSync = known.owesSync;
    try {
      this.#takeTurn(owesSync ? undefined : 0).close();
    } catch (error) {
      if (owesSync || !(error instanceof MnemeError)) throw error;
    }
  }

  #runControl(place: messages.OperationPlace): void {
    if (this.#runBetween(place)) return;
    const engine = this.#engine;
    switch (place.code) {
      case messages.COMMIT:
        this.#operations.settle();
        this.#commit();
        break;
      case messages.SAVEPOINT:
        this.#operations.settle();
        engine.savepoint();
        break;
      case messages.RELEASE:
        engine.releaseSavepoint();
        break;
      case messages.ROLL_BACK:
        this.#operations.forget();
        engine.rollBackToSavepoint();
        break;
      case messages.FREEZE:
        this.#operations.settle();
        engine.freeze();
        break;
      case messages.UNUSED:
        this.#unused(place.number);
        break;
      default:
        throw new RangeError(`unknown operation ${place.code}`);
    }
  }
}
