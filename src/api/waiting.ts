/**
 * Whether a caller that waits for the writer spins or sleeps: whichever took less time lately.
 *
 * Spinning saves a wake-up, which takes a hundred times as long as a request, as long as both
 * threads really run at the same time. On a machine that is busy, or whose processors are shares of
 * fewer real ones, the spinning thread keeps the other from running, and then sleeping is faster. No
 * reading of the system tells which it is, so both are measured: now and then the other way is tried.
 */
const TRY_OTHER_EVERY = 256;
const WEIGHT = 1 / 8;
const TOOK_MS_MAX = 10;

export class WaitingPolicy {
  readonly #mayEverSpin: boolean;
  #spinMs = 0.01;
  #sleepMs = 0.1;
  #calls = 0;
  #spins: boolean;

  constructor(processorCount: number) {
    this.#mayEverSpin = processorCount > 1;
    this.#spins = this.#mayEverSpin;
  }

  /** Decides for the call that begins. */
  next(): boolean {
    if (!this.#mayEverSpin) return false;
    const spinsBest = this.#spinMs <= this.#sleepMs;
    this.#calls++;
    this.#spins = this.#calls % TRY_OTHER_EVERY === 0 ? !spinsBest : spinsBest;
    return this.#spins;
  }

  /** Told how long the call took that `next` decided for. */
  learn(tookMs: number): void {
    const bounded = Math.min(tookMs, TOOK_MS_MAX);
    if (this.#spins) this.#spinMs += (bounded - this.#spinMs) * WEIGHT;
    else this.#sleepMs += (bounded - this.#sleepMs) * WEIGHT;
  }
}
