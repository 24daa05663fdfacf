/**
 * With `sync: 'none'`, small transactions that follow one another soon go into one commit.
 *
 * A commit costs about as much as twenty changes do: it copies, seals and writes the pages from the
 * leaf up to the catalog. So a transaction is answered as soon as it is carried out, and committed
 * with the next ones: when a reader wants to see it, when no other comes at once, or after a
 * moment. The control block says that something waits; whoever reads has it committed first, so
 * nobody can tell. A killed process loses what was not committed, as it loses what was not written
 * behind.
 *
 * What has been answered must not be undone by what comes after it. So copies of the requests are
 * kept until the commit: when one fails half way, or there is no room, all is undone and the copies
 * run again without it.
 */

import { segmentAddress } from '../shared/memory/channel.js';
import { setGathers } from '../shared/memory/control-block.js';
import {
  ADD_MEMBERS,
  DELETE,
  DELETE_TEXT,
  EXPIRE,
  INCREMENT,
  INCREMENT_MEMBERS,
  newOperationPlace,
  PARTS,
  PERSIST,
  POP,
  PUSH,
  PUT_TEXT,
  REMOVE_MEMBERS,
  readOperation,
  SEGMENT_HEADER_BYTES,
  SET,
} from '../shared/memory/messages.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import type { ThreadSlot } from '../shared/memory/thread-slots.js';
import type { RequestExecutor, Segment } from './requests.js';

/** Requests of one operation on one key, or on members or elements that are named one by one. */
const SMALL: ReadonlySet<number> = new Set([
  ...[SET, DELETE, INCREMENT, EXPIRE, PERSIST],
  ...[ADD_MEMBERS, REMOVE_MEMBERS, INCREMENT_MEMBERS, PUSH, POP],
  ...[PUT_TEXT, DELETE_TEXT],
]);
const SMALL_BYTES_MAX = 8192;
const COPIES_BYTES_MAX = 2 ** 20;

interface Copy {
  readonly channel: number;
  readonly bytes: Uint8Array;
}

export class Gathering {
  readonly #memory: SharedMemory;
  readonly #executor: RequestExecutor;
  /** The writer's own channel: nobody calls it from there, so copies can be run from it. */
  readonly #ownChannel: number;
  readonly #place = newOperationPlace();
  #copies: Copy[] = [];
  #copiedBytes = 0;

  constructor(memory: SharedMemory, executor: RequestExecutor, slot: ThreadSlot) {
    this.#memory = memory;
    this.#executor = executor;
    this.#ownChannel = slot.index;
  }

  /** True while transactions are answered and not committed. */
  get isOpen(): boolean {
    return this.#copies.length > 0;
  }

  /** Carries out and answers a transaction that can be gathered; false when it cannot be. */
  take(segment: Segment): boolean {
    const end = this.#smallEnd(segment);
    if (end === 0) return false;
    if (!this.isOpen) {
      if (!this.#executor.beginGathered()) return false;
      setGathers(this.#memory, true);
    }
    const bytes = this.#memory.u8.slice(segment.address, end);
    if (this.#executor.runGathered(segment)) {
      this.#copies.push({ channel: segment.channel, bytes });
      this.#copiedBytes += bytes.length;
      if (this.#copiedBytes >= COPIES_BYTES_MAX) this.settle();
      return true;
    }
    this.#runAgain();
    return false;
  }

  /** Commits what was gathered. */
  settle(): void {
    if (!this.isOpen) return;
    if (this.#executor.commitGathered(this.#copies.length)) this.#end();
    else this.#runAgain();
  }

  /** Where the segment ends if it is a single small request, else 0. */
  #smallEnd({ address, isOwn }: Segment): number {
    if (!isOwn) return 0;
    const start = address + SEGMENT_HEADER_BYTES;
    const length = this.#memory.i32[address >>> 2] as number;
    if (length > SMALL_BYTES_MAX) return 0;
    readOperation(this.#memory, start, this.#place);
    const { code, flags, next } = this.#place;
    const isSmall = SMALL.has(code) && next === start + length;
    const isPart = (code === SET || code === PUSH || code === PUT_TEXT) && (flags & PARTS) !== 0;
    return isSmall && !isPart ? next : 0;
  }

  /** The open transaction is undone; what was answered is carried out anew and committed. */
  #runAgain(): void {
    const copies = this.#copies;
    this.#end();
    if (copies.length === 0) return this.#executor.abandonBatch();
    const address = segmentAddress(this.#ownChannel, 0);
    this.#executor.runAnsweredAgain(copies.length, (index) => {
      const { channel, bytes } = copies[index] as Copy;
      this.#memory.u8.set(bytes, address);
      return { channel, address, isOwn: true, answerChannel: this.#ownChannel };
    });
  }

  #end(): void {
    this.#copies = [];
    this.#copiedBytes = 0;
    setGathers(this.#memory, false);
  }
}
