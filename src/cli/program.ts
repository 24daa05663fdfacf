/**
 * The command's whole grammar: every sub-command, and the options that all of them have.
 */
import { Command } from 'commander';
import { addBenchCommand } from './bench-command.js';
import { addCollectionCommands } from './collection-commands.js';
import { addDumpCommands } from './dump-commands.js';
import { addFileCommands } from './file-commands.js';
import { addKeyCommands } from './key-commands.js';
import { addReplCommand, type RunWords } from './repl.js';
import { addSearchCommands } from './search-commands.js';
import { addServeCommand } from './serve-command.js';
import { addValueCommands } from './value-commands.js';

const ABOUT = `
Exit codes: 0 done, 1 error or nothing there, 2 wrong usage, 3 a damaged file.
Commands that read open the file for reading only: they disturb no program that has it open.`;

/**
 * @param version - Of the package.
 * @param run - What runs the lines that somebody types in a `repl`.
 */
export function createProgram(version: string, run: RunWords): Command {
  const program = new Command('mneme')
    .description('Looks into MNEME database files, and changes them.')
    .version(version)
    .enablePositionalOptions(false)
    .addHelpText('after', ABOUT);
  addFileCommands(program);
  addValueCommands(program);
  addCollectionCommands(program);
  addSearchCommands(program);
  addDumpCommands(program);
  addKeyCommands(program);
  addServeCommand(program);
  addBenchCommand(program);
  addReplCommand(program, run);
  for (const command of leavesOf(program)) {
    command
      .option('--json', 'one JSON value a line')
      .option('--key-file <path>', 'the Ed25519 key that opens encrypted keyspaces');
  }
  return program;
}

/** Commands that do something. */
function leavesOf(command: Command): Command[] {
  const { commands } = command;
  return commands.length === 0 ? [command] : commands.flatMap((it) => leavesOf(it));
}

/** Makes a command and all below it throw where they would end the process. */
export function throwing(command: Command): Command {
  command.exitOverride();
  for (const below of command.commands) throwing(below);
  return command;
}
