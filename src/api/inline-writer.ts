/**
 * The writer on the calling thread, for runtimes without workers: the one file of api/ that knows
 * the engine.
 */
import type { WriterStart } from '../shared/memory/messages.js';
import { type RunningWriter, startWriter } from '../writer/start.js';

const WRITE_BEHIND_MS = 10;

export class InlineWriter {
  readonly #writer: RunningWriter;
  readonly #idle: NodeJS.Timeout;

  constructor(start: WriterStart) {
    this.#writer = startWriter(start);
    this.#idle = setInterval(() => this.#rest(), WRITE_BEHIND_MS);
    this.#idle.unref();
  }

  run(segment: number): void {
    const { executor, close, turn } = this.#writer;
    executor.run(segment);
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
