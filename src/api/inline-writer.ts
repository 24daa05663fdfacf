/**
 * The writer on the calling thread, for runtimes without workers: the one file of api/ that knows
 * the engine.
 */
import type { WriterStart } from '../shared/memory/messages.js';
import { monotonicMs } from '../shared/system.js';
import { type RunningWriter, startWriter } from '../writer/start.js';

const WRITE_BEHIND_MS = 10;

export class InlineWriter {
  readonly #writer: RunningWriter;
  #dueMs = 0;

  constructor(start: WriterStart) {
    this.#writer = startWriter(start);
  }

  run(segment: number): void {
    const { engine, executor, file } = this.#writer;
    const wasPending = engine.needsWriteBehind;
    executor.run(segment);
    if (executor.closed) {
      file.close();
      return;
    }
    if (!engine.needsWriteBehind || engine.isOpen) return;
    if (!wasPending) this.#dueMs = monotonicMs() + WRITE_BEHIND_MS;
    else if (monotonicMs() >= this.#dueMs) engine.writeBehind();
  }
}
