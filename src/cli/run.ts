/**
 * Runs one command line and says with which code it ends.
 */
import { CommanderError } from 'commander';
import { needsGuard, runGuarded } from './guard.js';
import { createProgram, throwing } from './program.js';
import { EXIT_USAGE, tellFailure } from './terminal.js';

/** What commander calls what was asked for: help, the version. */
const ASKED: ReadonlySet<string> = new Set([
  'commander.help',
  'commander.helpDisplayed',
  'commander.version',
]);

/** @param words - Behind the command's own name. */
export async function run(words: readonly string[], version: string): Promise<number> {
  if (needsGuard(words)) return await runGuarded(words);
  try {
    const program = createProgram(version, (line) => run(line, version));
    await throwing(program).parseAsync([...words], { from: 'user' });
    return 0;
  } catch (error) {
    if (!(error instanceof CommanderError)) return tellFailure(error, words.includes('--json'));
    const isAsked = ASKED.has(error.code) && error.exitCode === 0;
    return isAsked ? 0 : EXIT_USAGE;
  }
}
