/**
 * What a command says, and where: lines for people, JSON for programs, bars on a terminal only.
 */
import { writeSync } from 'node:fs';
import { stderr, stdout } from 'node:process';
import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../api/verify.js';
import { MnemeError } from '../shared/errors.js';

export const EXIT_ERROR = 1;
export const EXIT_USAGE = 2;
export const EXIT_CORRUPT = 3;
const CORRUPT: ReadonlySet<string> = new Set([
  'ERR_MNEME_CORRUPT',
  'ERR_MNEME_NOT_A_DATABASE',
  'ERR_MNEME_FORMAT_VERSION',
]);
const PIPE_CLOSED: ReadonlySet<string> = new Set(['EPIPE', 'EIO']);

/** Ends the command with this code; whatever there was to say has been said. */
export class Ending extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`ends with ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly keyFile?: string;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** Whether it is somebody who reads. */
export const isTerminal = (): boolean => stdout.isTTY === true;

/** Writes all of it, however slowly it is read; who has gone away ends the command quietly. */
export function write(bytes: string | Uint8Array): void {
  let left: Uint8Array = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  while (left.length > 0) {
    try {
      left = left.subarray(writeSync(stdout.fd, left));
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EAGAIN') continue;
      if (code !== undefined && PIPE_CLOSED.has(code)) throw new Ending(0);
      throw error;
    }
  }
}

export function line(text: string): void {
  write(`${text}\n`);
}

/** A value as JSON, on a line of its own. */
export function jsonLine(value: unknown): void {
  line(JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? `${item}` : item)));
}

/** Facts with a name: a table for people, an object for programs. */
export function facts(content: Readonly<Record<string, unknown>>, { json }: CommonOptions): void {
  if (json === true) {
    jsonLine(content);
    return;
  }
  const width = Math.max(...Object.keys(content).map((name) => name.length));
  for (const [name, value] of Object.entries(content)) {
    const text = value instanceof Date ? value.toISOString() : plain(value);
    line(`${name.padEnd(width)}  ${text}`);
  }
}

function plain(value: unknown): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return value.toFixed(3);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Tells of a failure in one line, and returns the code to end with. */
export function tellFailure(error: unknown, json: boolean): number {
  if (error instanceof Ending) return error.exitCode;
  const code = codeOf(error) ?? 'FAILED';
  const message = error instanceof Error ? error.message : String(error);
  const details = error instanceof MnemeError ? error.details : {};
  const text = json ? JSON.stringify({ error: { code, message, details } }) : `mneme: ${message}`;
  try {
    writeSync(stderr.fd, `${text.replaceAll('\n', ' ')}\n`);
  } catch {
    // Nobody listens any more; the code says it.
  }
  return CORRUPT.has(code) ? EXIT_CORRUPT : EXIT_ERROR;
}

/** A bar where somebody sees it; else nothing, so that what is piped stays what it is. */
export function withProgress<T>(work: (tell: (progress: Progress) => void) => T): T {
  if (stderr.isTTY !== true) return work(() => undefined);
  const format = '{phase} {bar} {percentage}% {value}/{total}';
  const bar = new SingleBar({ format, stream: stderr, hideCursor: true }, Presets.shades_classic);
  bar.start(1, 0, { phase: '' });
  try {
    return work(({ done, total, phase }) => {
      bar.setTotal(Math.max(total, 1));
      bar.update(done, { phase });
      bar.render();
    });
  } finally {
    bar.stop();
  }
}
