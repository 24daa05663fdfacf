/**
 * Commands about a whole file: what it is, what is in it, whether it is sound, and copies of it.
 */
import type { Command } from 'commander';
import type { CompactOptions, CompactResult } from '../api/compact.js';
import type { Database } from '../api/database.js';
import { inventoryOf } from '../api/inventory.js';
import { MnemeError } from '../shared/errors.js';
import { tellOutput } from './guard.js';
import { reading } from './opening.js';
import {
  type CommonOptions,
  Ending,
  EXIT_CORRUPT,
  facts,
  jsonLine,
  line,
  withProgress,
} from './terminal.js';

export function addFileCommands(program: Command): void {
  program
    .command('info <file>')
    .description('what the file is: format, page size, newest transaction, key slots')
    .addHelpText('after', '\nExample:\n  mneme info app.mneme --json')
    .action((file: string, options: CommonOptions) => {
      facts(
        reading(file, options, (database) => ({ ...database.info() })),
        options,
      );
    });
  program
    .command('stats <file>')
    .description('pages, free and live, and the size of the file')
    .addHelpText('after', '\nExample:\n  mneme stats app.mneme')
    .action((file: string, options: CommonOptions) => {
      facts(
        reading(file, options, (database) => ({ ...database.stats() })),
        options,
      );
    });
  program
    .command('keyspaces <file>')
    .description('names of all keyspaces, with what they hold')
    .addHelpText('after', '\nExample:\n  mneme keyspaces app.mneme')
    .action((file: string, options: CommonOptions) => reading(file, options, listAll(options)));
  program
    .command('verify <file>')
    .description('walks every page; ends with 3 when something is wrong')
    .addHelpText('after', '\nExample:\n  mneme verify app.mneme && echo sound')
    .action(verifyFile);
  addCopy(program, 'compact', 'copies all that is live and has not expired into a small new file');
  addCopy(program, 'backup', 'copies a consistent state into a new file, while others write');
}

/** Lists names, and of what can be opened how much there is. */
function listAll(options: CommonOptions): (database: Database) => void {
  return (database) => {
    for (const name of database.keyspaces()) {
      const about = describeOrLocked(database, name);
      if (options.json === true) jsonLine({ name, ...about });
      else {
        const counts = Object.entries(about).filter(([, value]) => value !== 0 && value !== false);
        line(`${name}  ${counts.map(([what, value]) => `${what} ${value}`).join(', ')}`);
      }
    }
  };
}

function describeOrLocked(database: Database, name: string): Record<string, unknown> {
  try {
    return describe(database, name);
  } catch (error) {
    const isLocked = error instanceof MnemeError && error.code === 'ERR_MNEME_KEY_REQUIRED';
    if (isLocked) return { encrypted: true };
    throw error;
  }
}

function describe(database: Database, name: string): Record<string, unknown> {
  const snapshot = database.snapshot();
  try {
    const found = inventoryOf(snapshot, [name])[0];
    if (found === undefined) return {};
    const { keys, encrypted, settings } = found;
    if (settings !== undefined) {
      const { docCount, uniqueTerms } = snapshot.ftKeyspace(name).stats();
      const { analyzerName } = settings;
      return { kind: 'text', encrypted, analyzerName, documents: docCount, terms: uniqueTerms };
    }
    const about = keys === 'bytes' ? snapshot.keyspace(name, { keys }) : snapshot.keyspace(name);
    const { keys: values, vectors, sortedSets, lists } = about.stats();
    return { kind: 'values', encrypted, keys, values, vectors, sortedSets, lists };
  } finally {
    snapshot.close();
  }
}

function verifyFile(file: string, options: CommonOptions): void {
  const report = reading(file, options, (database) =>
    withProgress((onProgress) => database.verify({ onProgress })),
  );
  if (options.json === true) jsonLine(report);
  else {
    const { ok, pagesChecked, problems } = report;
    for (const { page, keyspace, message } of problems) {
      line(`page ${page}${keyspace === undefined ? '' : ` of ${keyspace}`}: ${message}`);
    }
    line(`${pagesChecked} pages checked: ${ok ? 'sound' : `${problems.length} problems`}`);
  }
  if (!report.ok) throw new Ending(EXIT_CORRUPT);
}

function addCopy(program: Command, name: 'compact' | 'backup', description: string): void {
  program
    .command(`${name} <file> <output>`)
    .description(description)
    .option('--overwrite', 'take the place of a file that is there')
    .addHelpText('after', `\nExample:\n  mneme ${name} app.mneme copy.mneme`)
    .action((file: string, output: string, options: CommonOptions & CompactOptions) => {
      const { overwrite = false } = options;
      tellOutput(output);
      const result: CompactResult = reading(file, options, (database) =>
        withProgress((onProgress) => database[name](output, { overwrite, onProgress })),
      );
      facts({ ...result }, options);
    });
}
