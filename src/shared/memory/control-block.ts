/**
 * The control block: the newest committed state, and counters that all threads share.
 *
 * The state stands in two places in turn, and one atomic store of the sequence number says which is
 * valid. So a writer that dies in the middle of publishing leaves the older one in force, and a
 * reader knows that what it copied is whole when the number is still the same afterwards.
 *
 *   word   field
 *      0   publish sequence; its lowest bit chooses the state below
 *    1-9   counters and flags, see the constants
 *  16-31   state 0
 *  32-47   state 1
 *
 *   word of a state   field
 *      0, 1           transaction id, low and high
 *      2, 3, 4, 5     catalog root: page id, checksum low and high, level
 *      6              pages of the file, meta areas included
 *      7              meta epoch
 *      8, 9           free pages, waiting pages
 *     10              entries of the catalog
 */
import { type TxnId, toPageId } from '../ids.js';
import type { TreeRoot } from '../tree-root.js';
import { CONTROL_ADDRESS, type SharedMemory } from './shared-memory.js';

const BASE = CONTROL_ADDRESS >>> 2;
const SEQUENCE = BASE;
const CLOSED = BASE + 1;
export const FRESH_FRAME_WORD = BASE + 2;
export const CLOCK_HAND_WORD = BASE + 3;
export const EPOCH_WORD = BASE + 4;
export const PIN_LIMIT_WORD = BASE + 5;
const WRITER_TURN = BASE + 6;
export const EVICTION_WORD = BASE + 7;
const STATES = BASE + 16;
const STATE_WORDS = 16;
const TWO_POW_32 = 2 ** 32;

/** One committed state, as a reader needs it. */
export interface CommittedState {
  /** Rises with every publication in this memory; -1 for what another process committed. */
  readonly sequence: number;
  /** No state of the control block is weak: which of two metas is newer is not asked of it. */
  readonly weak: boolean;
  readonly txnId: TxnId;
  readonly catalog: Readonly<TreeRoot>;
  readonly pageCount: number;
  readonly metaEpoch: number;
  readonly freePages: number;
  readonly waitingPages: number;
}

export function publishedSequence(memory: SharedMemory): number {
  return Atomics.load(memory.i32, SEQUENCE);
}

export function publishState(
  memory: SharedMemory,
  state: Omit<CommittedState, 'sequence' | 'weak'>,
): void {
  const { i32 } = memory;
  const next = (Atomics.load(i32, SEQUENCE) + 1) | 0;
  const at = STATES + (next & 1) * STATE_WORDS;
  i32[at] = (state.txnId % TWO_POW_32) | 0;
  i32[at + 1] = Math.floor(state.txnId / TWO_POW_32);
  i32[at + 2] = state.catalog.pageId;
  i32[at + 3] = state.catalog.low;
  i32[at + 4] = state.catalog.high;
  i32[at + 5] = state.catalog.level;
  i32[at + 10] = state.catalog.count;
  i32[at + 6] = state.pageCount | 0;
  i32[at + 7] = state.metaEpoch;
  i32[at + 8] = state.freePages;
  i32[at + 9] = state.waitingPages;
  Atomics.store(i32, SEQUENCE, next);
}

export function readState(memory: SharedMemory): CommittedState {
  const { i32 } = memory;
  for (;;) {
    const sequence = Atomics.load(i32, SEQUENCE);
    const at = STATES + (sequence & 1) * STATE_WORDS;
    const word = (index: number) => Atomics.load(i32, at + index);
    const state = {
      sequence,
      weak: false,
      txnId: (word(0) >>> 0) + word(1) * TWO_POW_32,
      catalog: {
        pageId: toPageId(word(2) >>> 0),
        low: word(3),
        high: word(4),
        level: word(5),
        count: word(10),
      },
      pageCount: word(6) >>> 0,
      metaEpoch: word(7),
      freePages: word(8) >>> 0,
      waitingPages: word(9) >>> 0,
    };
    if (Atomics.load(i32, SEQUENCE) === sequence) return state;
  }
}

/** Whose turn it is to write: another opening's, this one's, or this one's while it gathers. */
export const OTHERS_TURN = 0;
export const OWN_TURN = 1;
export const GATHERS = 2;

/** Told by the writer: while it has its turn, nobody else changes the file. */
export function setWriterTurn(memory: SharedMemory, isHeld: boolean): void {
  Atomics.store(memory.i32, WRITER_TURN, isHeld ? OWN_TURN : OTHERS_TURN);
}

/** Told by the writer in its turn: transactions are answered that are not published yet. */
export function setGathers(memory: SharedMemory, gathers: boolean): void {
  Atomics.store(memory.i32, WRITER_TURN, gathers ? GATHERS : OWN_TURN);
}

export function writerTurn(memory: SharedMemory): number {
  return Atomics.load(memory.i32, WRITER_TURN);
}

export function markClosed(memory: SharedMemory): void {
  Atomics.store(memory.i32, CLOSED, 1);
}

/** True when the thread that opened the database has closed it. */
export function isMarkedClosed(memory: SharedMemory): boolean {
  return Atomics.load(memory.i32, CLOSED) === 1;
}
