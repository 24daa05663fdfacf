/**
 * Which committed states are in use: one entry per holder, read by the writer before it reuses a
 * page.
 *
 * The order is what makes a pin safe: read the newest state, publish the pin, look at the newest
 * state again. If it did not move, the writer publishes the next one after the pin became visible,
 * and it reads the pins after that, before it takes pages that this state can see.
 *
 *   word   field
 *      0   thread slot + 1 of the holder, 0 when free
 *   1, 2   transaction id, low and high
 */
import { assert } from '../assert.js';
import type { TxnId } from '../ids.js';
import { PIN_COUNT } from '../limits.js';
import { type CommittedState, PIN_LIMIT_WORD } from './control-block.js';
import { PIN_BYTES, PINS_ADDRESS, type SharedMemory } from './shared-memory.js';
import { releaseThreadSlot, type ThreadSlot, threadSlotAt } from './thread-slots.js';

const BASE = PINS_ADDRESS >>> 2;
const WORDS = PIN_BYTES >>> 2;
const TWO_POW_32 = 2 ** 32;

/** A state that stays readable until `releasePin`. */
export interface PinnedState {
  readonly state: CommittedState;
  readonly pinIndex: number;
}

/** Takes a free entry, which protects every state until `setPin`. */
export function claimPin(memory: SharedMemory, slot: ThreadSlot): number {
  for (let index = 0; index < PIN_COUNT; index++) {
    const at = BASE + index * WORDS;
    if (Atomics.load(memory.i32, at) !== 0) continue;
    raiseLimit(memory, index + 1);
    if (Atomics.compareExchange(memory.i32, at, 0, slot.index + 1) === 0) return index;
  }
  assert(false, 'fewer snapshots and iterators are open than there are pins');
}

export function setPin(memory: SharedMemory, pinIndex: number, txnId: TxnId): void {
  const at = BASE + pinIndex * WORDS;
  Atomics.store(memory.i32, at + 1, (txnId % TWO_POW_32) | 0);
  Atomics.store(memory.i32, at + 2, Math.floor(txnId / TWO_POW_32));
}

/** The writer looks at entries below the limit only; it is raised before an entry is taken. */
function raiseLimit(memory: SharedMemory, limit: number): void {
  for (;;) {
    const seen = Atomics.load(memory.i32, PIN_LIMIT_WORD);
    if (seen >= limit) return;
    if (Atomics.compareExchange(memory.i32, PIN_LIMIT_WORD, seen, limit) === seen) return;
  }
}

export function releasePin(memory: SharedMemory, pinIndex: number): void {
  const at = BASE + pinIndex * WORDS;
  Atomics.store(memory.i32, at + 1, 0);
  Atomics.store(memory.i32, at + 2, 0);
  Atomics.store(memory.i32, at, 0);
}

/** The pinned transaction ids, rising; an entry in the making counts as 0, which protects all. */
export function pinnedTxnIds(memory: SharedMemory): TxnId[] {
  const pinned: TxnId[] = [];
  const limit = Atomics.load(memory.i32, PIN_LIMIT_WORD);
  for (let index = 0; index < limit; index++) {
    const at = BASE + index * WORDS;
    if (Atomics.load(memory.i32, at) === 0) continue;
    const high = Atomics.load(memory.i32, at + 2);
    pinned.push((Atomics.load(memory.i32, at + 1) >>> 0) + high * TWO_POW_32);
  }
  return pinned.sort((a, b) => a - b);
}

/** Takes back the slot of a thread that is gone, and what it pinned. */
export function reclaimSlot(memory: SharedMemory, index: number): void {
  const limit = Atomics.load(memory.i32, PIN_LIMIT_WORD);
  for (let pin = 0; pin < limit; pin++) {
    if (Atomics.load(memory.i32, BASE + pin * WORDS) === index + 1) releasePin(memory, pin);
  }
  releaseThreadSlot(memory, threadSlotAt(index));
}
