/**
 * The turn to write: the writer's lock on the file, and an engine that knows the newest state.
 *
 * Whoever wants to write takes the place of who is next, then the writer's, then leaves the first
 * to others. A writer gives its turn back when it has nothing to do, or soon when another is next;
 * so busy processes take turns. What changed meanwhile is read anew.
 */
import { debug, isDebugged, shortMs } from '../shared/debug-log.js';
import { MnemeError } from '../shared/errors.js';
import { publishState, setWriterTurn } from '../shared/memory/control-block.js';
import type { SyncMode } from '../shared/memory/messages.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import type { ThreadSlot } from '../shared/memory/thread-slots.js';
import type { FileLocks } from '../shared/pages/file-locks.js';
import { lockHolder, noteLockHolder } from '../shared/pages/lock-holder.js';
import { MetaWatch } from '../shared/pages/meta-watch.js';
import { PageMismatch } from '../shared/pages/page-file.js';
import type { StorageFile } from '../shared/pages/storage.js';
import { monotonicMs } from '../shared/system.js';
import { Engine } from './engine.js';

/** Commits go on for this long before another writer's wish is looked for. */
const TURN_MS = 2;
const POLL_MS = 0.2;

export interface TurnOptions {
  readonly memory: SharedMemory;
  readonly slot: ThreadSlot;
  readonly file: StorageFile;
  readonly bootId: Uint8Array;
  readonly sync: SyncMode;
  readonly locks: FileLocks;
  /** How long to wait for a turn. */
  readonly lockTimeoutMs: number;
  /** False when another file stands at the path now. */
  readonly isStillAt: () => boolean;
}

export class WriterTurn {
  readonly #options: TurnOptions;
  readonly #watch: MetaWatch;
  #engine: Engine | undefined;
  /** Why there can be no engine: to try anew takes memory each time and helps nothing. */
  #damage: unknown;
  #isHeld = false;
  #lookForOthersMs = 0;
  #sleeper = new Int32Array(new SharedArrayBuffer(4));

  constructor(options: TurnOptions) {
    this.#options = options;
    this.#watch = new MetaWatch(options.file, () => undefined);
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** The engine of the last turn; undefined before the first. */
  get engine(): Engine | undefined {
    return this.#engine;
  }

  /**
   * Waits for the turn unless it is held already. Returns the engine.
   * @throws {MnemeError} `ERR_MNEME_LOCKED` with the holder's process id.
   */
  take(timeoutMs = this.#options.lockTimeoutMs): Engine {
    if (this.#isHeld && this.#engine !== undefined) return this.#engine;
    if (this.#damage !== undefined) throw this.#damage;
    this.#lock(timeoutMs);
    try {
      const engine = this.#newestEngine();
      this.#lookForOthersMs = monotonicMs() + TURN_MS;
      this.#isHeld = true;
      setWriterTurn(this.#options.memory, true);
      return engine;
    } catch (error) {
      this.#options.locks.unlock('writer');
      if (isFailedSync(error) || (this.#engine === undefined && isDamage(error))) {
        this.#damage = error;
      }
      throw error;
    }
  }

  /** Writes what waits to be written and lets others write. */
  giveBack(): void {
    if (!this.#isHeld) return;
    const engine = this.#engine;
    if (engine?.needsWriteBehind === true) engine.writeBehind();
    this.#watch.hasMoved();
    this.#watch.accept();
    this.#isHeld = false;
    setWriterTurn(this.#options.memory, false);
    this.#options.locks.unlock('writer');
  }

  /** Gives the turn back if it has lasted and another writer waits; no transaction is open. */
  yieldToOthers(): void {
    if (!this.#isHeld || monotonicMs() < this.#lookForOthersMs) return;
    if (this.#options.locks.isLockedByOther('want')) this.giveBack();
    else this.#lookForOthersMs = monotonicMs() + TURN_MS;
  }

  #lock(timeoutMs: number): void {
    const { locks } = this.#options;
    const startMs = monotonicMs();
    const deadline = startMs + timeoutMs;
    this.#waitFor('want', deadline);
    try {
      this.#waitFor('writer', deadline);
    } finally {
      locks.unlock('want');
    }
    if (isDebugged) debug(`lock: has the turn to write, after ${shortMs(monotonicMs() - startMs)}`);
  }

  #waitFor(place: 'want' | 'writer', deadline: number): void {
    const { locks, file } = this.#options;
    let isFirst = isDebugged;
    while (!locks.tryLock(place, 'exclusive')) {
      if (isFirst) debug(`lock: waits for process ${lockHolder(file).pid}`);
      isFirst = false;
      if (monotonicMs() >= deadline) throw new MnemeError('ERR_MNEME_LOCKED', lockHolder(file));
      Atomics.wait(this.#sleeper, 0, 0, POLL_MS);
    }
  }

  /** The engine of the last turn, or a new one when somebody wrote since. */
  #newestEngine(): Engine {
    const { isStillAt, file } = this.#options;
    if (!isStillAt()) {
      throw new MnemeError('ERR_MNEME_IO', { reason: 'another file stands at the path now' });
    }
    noteLockHolder(file);
    const known = this.#engine;
    if (known !== undefined && (known.hasFailed || !this.#watch.hasMoved())) return known;
    const source = known === undefined ? {} : { source: known.enterCatalog() };
    const engine = new Engine({ ...this.#options, ...source });
    this.#engine = engine;
    publishState(this.#options.memory, engine.files.meta);
    this.#watch.hasMoved();
    this.#watch.accept(engine.files.torn);
    return engine;
  }
}

/** The system tells of it once; a second sync would succeed over what is lost. */
function isFailedSync(error: unknown): boolean {
  const cause = error instanceof MnemeError ? error.cause : undefined;
  return cause instanceof Error && 'syscall' in cause && cause.syscall === 'fdatasync';
}

function isDamage(error: unknown): boolean {
  const isCorrupt = error instanceof MnemeError && error.code === 'ERR_MNEME_CORRUPT';
  return isCorrupt || error instanceof PageMismatch;
}
