/**
 * The writer on the calling thread, for runtimes without workers: the one file of api/ that knows
 * the engine.
 */
import { MODE_OWN, type WriterStart } from '../shared/memory/messages.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import { type RunningWriter, startWriter } from '../writer/start.js';

const WRITE_BEHIND_MS = 10;

export class InlineWriter {
  readonly #writer: RunningWriter;
  readonly #memory: SharedMemory;
  readonly #idle: NodeJS.Timeout;

  constructor(memory: SharedMemory, start: WriterStart) {
    this.#memory = memory;
    this.#writer = startWriter(start);
    this.#idle = setInterval(() => this.#rest(), WRITE_BEHIND_MS);
    this.#idle.unref();
  }

  /** Carries out a segment of a channel. */
  run(channel: number, address: number): void {
    const { executor, close, turn } = this.#writer;
    const mode = this.#memory.i32[(address >>> 2) + 1];
    executor.run({ channel, address, isOwn: mode === MODE_OWN });
    if (executor.closed) {
      clearInterval(this.#idle);
      close();
    } else if (turn.engine?.isOpen === false) this.#attempt(() => turn.yieldToOthers());
  }

  /** What the writer's own thread does when it has nothing to do. */
  #rest(): void {
    const { turn } = this.#writer;
    if (turn.engine?.isOpen === false) this.#attempt(() => turn.giveBack());
  }

  #attempt(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#writer.turn.engine?.noteBackgroundError(error);
    }
  }
}
