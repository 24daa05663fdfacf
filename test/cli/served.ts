/**
 * A database that is shown: the command as a process of its own, and questions to it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { MAIN } from './support.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

export interface Served {
  /** With the token. */
  readonly address: string;
  readonly process: ChildProcess;
  /** Asks with the token unless other headers are given. */
  ask(path: string, more?: AskOptions): Promise<Answer>;
  json(path: string, more?: AskOptions): Promise<unknown>;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Serves a file until the test ends. */
export async function serve(file: string, ...words: readonly string[]): Promise<Served> {
  const child = spawn(process.execPath, [MAIN, 'serve', file, '--json', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { address } = JSON.parse(line) as { address: string };
  const { port, hash } = new URL(address);
  const authorization = `Bearer ${hash.slice(1)}`;
  const ask = (path: string, { method = 'GET', headers, body }: AskOptions = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers: headers ?? { authorization },
      };
      const asked = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => {
          text += part;
        });
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      });
      asked.on('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const json = async (path: string, more?: AskOptions) => JSON.parse((await ask(path, more)).body);
  return { address, process: child, ask, json };
}

/** Ends it as Ctrl-C does; returns its exit code. */
export async function interrupt({ process: child }: Served): Promise<number | null> {
  child.kill('SIGINT');
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}
