/**
 * The states that this thread holds: iterators and snapshots of one state share a pin.
 */
import type { CommittedState } from '../shared/memory/control-block.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import { claimPin, type PinnedState, releasePin, setPin } from '../shared/memory/snapshot-pins.js';
import type { ThreadSlot } from '../shared/memory/thread-slots.js';
import type { ReaderLocks } from './reader-locks.js';

interface SharedPin {
  readonly pinned: PinnedState;
  holders: number;
}

/** Where states come from. */
export interface PinHost {
  readonly memory: SharedMemory;
  readonly slot: ThreadSlot;
  /** The newest committed one. */
  state(): CommittedState;
}

export class Pins {
  readonly #host: PinHost;
  /** By which other processes see what is held; undefined where nobody else has the file. */
  readonly #locks: ReaderLocks | undefined;
  readonly #pins = new Map<CommittedState, SharedPin>();

  constructor(host: PinHost, locks: ReaderLocks | undefined) {
    this.#host = host;
    this.#locks = locks;
  }

  /** Pins the newest state. */
  pin(): PinnedState {
    const shared = this.#pins.get(this.#host.state());
    if (shared !== undefined) {
      shared.holders++;
      return shared.pinned;
    }
    const pinned = this.#pinNewest();
    this.#pins.set(pinned.state, { pinned, holders: 1 });
    return pinned;
  }

  /** Publishes the pin, then looks whether the state is still the newest (snapshot-pins.ts). */
  #pinNewest(): PinnedState {
    const { memory, slot } = this.#host;
    const pinIndex = claimPin(memory, slot);
    for (;;) {
      const state = this.#host.state();
      setPin(memory, pinIndex, state.txnId);
      this.#locks?.pin(state.txnId);
      if (this.#host.state() === state) return { state, pinIndex };
      this.#locks?.unpin(state.txnId);
    }
  }

  unpin(pinned: PinnedState): void {
    const shared = this.#pins.get(pinned.state);
    if (shared === undefined || --shared.holders > 0) return;
    this.#pins.delete(pinned.state);
    this.#locks?.unpin(pinned.state.txnId);
    releasePin(this.#host.memory, pinned.pinIndex);
  }

  /** Lets go of all of them, whoever holds them. */
  clear(): void {
    for (const { pinned } of this.#pins.values()) releasePin(this.#host.memory, pinned.pinIndex);
    this.#pins.clear();
  }
}
