/**
 * Runs a command that makes files in a process of its own: whatever ends that in the middle of a
 * call, Ctrl-C, a terminal that goes away or a lack of memory, somebody is left who removes what is
 * half made and says so.
 */
import { spawn } from 'node:child_process';
import { readdirSync, rmSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, join } from 'node:path';
import process, { stderr } from 'node:process';
import { fileURLToPath } from 'node:url';
import { temporaryPrefix } from '../api/create-file.js';
import { tellFailure } from './terminal.js';

const GUARDED: ReadonlySet<string | undefined> = new Set(['load', 'compact', 'backup', 'bench']);
/** Says to a process that it is watched. */
const MARK = 'MNEME_GUARDED';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const SHOW_CURSOR = '\u001b[?25h';

export function needsGuard([command]: readonly string[]): boolean {
  return GUARDED.has(command) && process.env[MARK] === undefined;
}

/** Says which file is made, to whoever watches. */
export function tellOutput(path: string): void {
  process.send?.({ path });
}

/** Runs a command line in a process of its own; returns its exit code. */
export async function runGuarded(words: readonly string[]): Promise<number> {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, main, ...words], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [MARK]: '1' },
  });
  let output: string | undefined;
  child.on('message', ({ path }: { path: string }) => {
    output = path;
  });
  // On a terminal it gets the signal too; from elsewhere only this process does.
  const end = (signal: NodeJS.Signals) => void child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, end);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once('exit', (...ending) => resolve(ending));
  });
  for (const it of SIGNALS) process.off(it, end);
  if (signal === null) return code ?? 0;
  if (output !== undefined && child.pid !== undefined) removeHalfMade(output, child.pid);
  if (stderr.isTTY === true) showCursor();
  const isAsked = (SIGNALS as readonly string[]).includes(signal);
  const said = isAsked ? `ended by ${signal}` : `the process was ended by ${signal}`;
  tellFailure(new Error(`${said}; what was half made is removed`), words.includes('--json'));
  return 128 + constants.signals[signal];
}

function removeHalfMade(output: string, pid: number): void {
  const prefix = temporaryPrefix(output, pid);
  const folder = dirname(output);
  for (const name of readdirSync(folder)) {
    if (name.startsWith(basename(prefix)))
      rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** A bar that was ended in the middle has left it hidden. */
function showCursor(): void {
  try {
    writeSync(stderr.fd, SHOW_CURSOR);
  } catch {
    // The terminal has gone away.
  }
}
