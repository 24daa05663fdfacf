/**
 * Whether a caller that waits for the writer spins or sleeps: whichever took less time lately.
 *
 * Spinning saves a wake-up, which takes a hundred times as long as a request, as long as both
 * threads really run at the same time. On a machine that is busy, or whose processors are shares
 * of fewer real ones, the spinning thread keeps the other from running, and sleeping is faster. No
 * reading of the system tells which it is, so both are measured: now and then the other is tried.
 */
/** Calls between trials of the other way; a spin costs little where it does well. */
const TRY_SLEEP_EVERY = 256;
const TRY_SPIN_EVERY = 32;
/** A trial is rare, so it weighs more than one of many calls of the usual way. */
const TRIAL_WEIGHT = 1 / 2;
const USUAL_WEIGHT = 1 / 16;
/** What takes longer says nothing of how the writer was woken. */
const TOOK_MS_MAX = 2;

export class WaitingPolicy {
  readonly #mayEverSpin: boolean;
  #spinMs = 0.01;
  #sleepMs = 0.1;
  #calls = 0;
  #isTrial = false;
  #spins: boolean;

  constructor(processorCount: number) {
    this.#mayEverSpin = processorCount > 1;
    this.#spins = this.#mayEverSpin;
  }

  /** Decides for the call that begins. */
  next(): boolean {
    if (!this.#mayEverSpin) return false;
    const spinsBest = this.#spinMs <= this.#sleepMs;
    const every = spinsBest ? TRY_SLEEP_EVERY : TRY_SPIN_EVERY;
    this.#isTrial = ++this.#calls % every === 0;
    this.#spins = this.#isTrial ? !spinsBest : spinsBest;
    return this.#spins;
  }

  /** Told how long the call took that `next` decided for. */
  learn(tookMs: number): void {
    if (tookMs > TOOK_MS_MAX) return;
    const weight = this.#isTrial ? TRIAL_WEIGHT : USUAL_WEIGHT;
    if (this.#spins) this.#spinMs += (tookMs - this.#spinMs) * weight;
    else this.#sleepMs += (tookMs - this.#sleepMs) * weight;
  }
}
