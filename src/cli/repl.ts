/**
 * The command `repl`: commands one after the other, with completion and a history.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { reading } from './opening.js';
import { type CommonOptions, line } from './terminal.js';

/** Runs one command line; returns the code that it ends with. */
export type RunWords = (words: readonly string[]) => Promise<number>;

const HISTORY_FILE = '.mneme_history';
const HISTORY_LINES_MAX = 1000;
const WORD = /"([^"]*)"|'([^']*)'|(\S+)/gu;
/** Commands that are about a file and have its name first. */
const OF_A_FILE = [
  ...['info', 'stats', 'keyspaces', 'verify', 'get', 'set', 'del', 'ttl', 'scan', 'analyze'],
  ...['zset', 'list', 'search', 'key', 'dump'],
];
/** Those with sub-commands, before the file. */
const GROUPS: ReadonlySet<string> = new Set(['zset', 'list', 'search', 'key']);

interface ReplOptions extends CommonOptions {
  readonly history: boolean;
}

export function addReplCommand(program: Command, run: RunWords): void {
  program
    .command('repl <file>')
    .description('commands one after the other, without the name of the file; exit ends it')
    .option('--no-history', 'remember nothing in the home folder')
    .addHelpText('after', '\nExample:\n  mneme repl app.mneme\n  > get users ada')
    .action((file: string, options: ReplOptions) => repl(file, options, run));
}

async function repl(file: string, options: ReplOptions, run: RunWords): Promise<void> {
  const keyspaces = reading(file, options, (database) => database.keyspaces());
  const history = options.history ? readHistory() : [];
  const lines = createInterface({
    input: stdin,
    output: stdout,
    prompt: '> ',
    history: [...history],
    historySize: HISTORY_LINES_MAX,
    completer: (text: string) => completions(text, keyspaces),
  });
  lines.prompt();
  for await (const text of lines) {
    const words = Array.from(text.matchAll(WORD), ([, a, b, c]) => a ?? b ?? c ?? '');
    if (words[0] === 'exit' || words[0] === 'quit') break;
    if (words.length > 0) {
      history.unshift(text);
      await runLine(words, file, options, run);
    }
    lines.prompt();
  }
  lines.close();
  if (options.history) writeHistory(history);
}

async function runLine(
  words: readonly string[],
  file: string,
  { keyFile, json }: ReplOptions,
  run: RunWords,
): Promise<void> {
  const [command = ''] = words;
  if (!OF_A_FILE.includes(command)) {
    line(`commands: ${OF_A_FILE.join(' ')} exit`);
    return;
  }
  const at = GROUPS.has(command) ? 2 : 1;
  const given = [...words.slice(0, at), file, ...words.slice(at)];
  if (keyFile !== undefined) given.push('--key-file', keyFile);
  if (json === true) given.push('--json');
  await run(given);
}

/** Commands at the beginning of a line, names of keyspaces after it. */
function completions(text: string, keyspaces: readonly string[]): [string[], string] {
  const words = text.split(/\s+/u);
  const last = words.at(-1) ?? '';
  const all = words.length <= 1 ? [...OF_A_FILE, 'exit'] : keyspaces;
  return [all.filter((word) => word.startsWith(last)), last];
}

function readHistory(): string[] {
  try {
    return readFileSync(join(homedir(), HISTORY_FILE), 'utf8').split('\n').filter(Boolean);
  } catch {
    return []; // there is none yet
  }
}

function writeHistory(history: readonly string[]): void {
  const text = history.slice(0, HISTORY_LINES_MAX).join('\n');
  try {
    writeFileSync(join(homedir(), HISTORY_FILE), `${text}\n`, { mode: 0o600 });
  } catch {
    // A home that cannot be written to remembers nothing; what was done is done.
  }
}
