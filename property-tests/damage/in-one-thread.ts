/**
 * Makes the database write on the calling thread, as in a runtime without workers, so that a file
 * is opened, used and closed within milliseconds; and ends the process when one never is.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';

const threads = createRequire(import.meta.url)('node:worker_threads');
const { Worker } = threads as typeof import('node:worker_threads');
const TEXT_START_BYTES = 8;
const TEXT_BYTES_MAX = 8192;
const HANG_MS = 30_000;

class NoWorker {
  constructor() {
    const code = 'ERR_WORKER_UNSUPPORTED_OPERATION';
    throw Object.assign(new Error('this process has no workers'), { code });
  }
}

export function writeOnThisThread(): void {
  Object.assign(threads, { Worker: NoWorker });
  syncBuiltinESMExports();
  process.emitWarning = () => undefined; // else each opening would print that there are no workers
}

const WATCH = `
  const { workerData } = require('node:worker_threads');
  const words = new Int32Array(workerData.shared);
  let seen = -1;
  setInterval(() => {
    if (words[1] !== 0 && words[0] === seen) {
      const text = Buffer.from(workerData.shared, ${TEXT_START_BYTES}, words[1]).toString();
      require('node:fs').writeSync(2, 'it hangs: ' + text + '\\n');
      process.kill(process.pid, 'SIGKILL');
    }
    seen = words[0];
  }, ${HANG_MS});
`;

/** Ends the process, saying what hangs, when one action takes too long; nothing else could. */
export class HangWatch {
  readonly #shared = new SharedArrayBuffer(TEXT_START_BYTES + TEXT_BYTES_MAX);
  readonly #words = new Int32Array(this.#shared);
  readonly #worker = new Worker(WATCH, { eval: true, workerData: { shared: this.#shared } });

  /** Says what is done from here on. */
  begin(text: string): void {
    const target = Buffer.from(this.#shared, TEXT_START_BYTES);
    Atomics.store(this.#words, 1, target.write(text));
    Atomics.add(this.#words, 0, 1);
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
