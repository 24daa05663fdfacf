/**
 * The built command, run as a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const HANG_MS = 60_000;

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function mneme(...words: readonly string[]): Ended {
  return mnemeWith('', ...words);
}

/** With something to read from its standard input. */
export function mnemeWith(input: string, ...words: readonly string[]): Ended {
  const options = { encoding: 'utf8', timeout: HANG_MS, input } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words], options);
  return { status, stdout, stderr };
}

/** What it prints, of a command that has to succeed. */
export function said(...words: readonly string[]): string {
  const { status, stdout, stderr } = mneme(...words);
  if (status !== 0 || stderr !== '') throw new Error(`ended by ${status}: ${stderr}`);
  return stdout;
}

export function saidJson(...words: readonly string[]): unknown {
  return JSON.parse(said(...words, '--json'));
}
