/**
 * Another process that has a database open and does what a test asks of it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { MnemeErrorCode, OpenOptions } from 'mneme';
import { expect, onTestFinished } from 'vitest';

const HANDLE_PATH = fileURLToPath(new URL('./children/handle.mjs', import.meta.url));

interface Answer {
  readonly result?: unknown;
  readonly error?: { code?: string; message: string; details?: Record<string, unknown> };
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

/** A process that ends with its test at the latest. */
export class Child {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor({ env = {}, flags = [] }: ChildOptions = {}) {
    this.#process = fork(HANDLE_PATH, {
      execArgv: [...flags],
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.#ended = once(this.#process, 'exit');
    onTestFinished(() => this.kill());
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  /** What an action of children/handle.mjs gives. */
  async ask(action: string, ...parameters: unknown[]): Promise<unknown> {
    const { result, error } = await this.#answer(action, parameters);
    if (error !== undefined) expect.fail(`${action}: ${error.code} ${error.message}`);
    return result;
  }

  /** Expects an action to fail with this code and gives the failure back. */
  async expectCode(
    code: MnemeErrorCode,
    action: string,
    ...parameters: unknown[]
  ): Promise<NonNullable<Answer['error']>> {
    const { error } = await this.#answer(action, parameters);
    expect(error).toMatchObject({ code });
    return error as NonNullable<Answer['error']>;
  }

  async #answer(action: string, parameters: readonly unknown[]): Promise<Answer> {
    const answered = once(this.#process, 'message');
    this.#process.send({ action, parameters });
    const answer = await Promise.race([answered, this.#ended.then(() => undefined)]);
    if (answer === undefined) return expect.fail(`${action}: the process ended`);
    return answer[0] as Answer;
  }

  /** Sends it somewhere it does not come back from; returns when it is there. */
  async sendTo(action: string): Promise<void> {
    const said = once(this.#process.stdout as NodeJS.ReadableStream, 'data');
    this.#process.send({ action, parameters: [] });
    await said;
  }

  /** Ends it by SIGKILL; returns when it is gone. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}

/** A process that has the database open. */
export async function openInChild(
  path: string,
  options: OpenOptions = {},
  childOptions: ChildOptions = {},
): Promise<Child> {
  const child = new Child(childOptions);
  await child.ask('open', path, options);
  return child;
}
