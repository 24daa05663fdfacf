/**
 * Opens the file that a command is about. Reading commands take no lock and change nothing, so a
 * program that is running does not notice them.
 */
import { type Database, open } from '../api/database.js';
import type { OpenOptions } from '../api/options.js';
import type { CommonOptions } from './terminal.js';

export function withKey({ keyFile }: CommonOptions): Pick<OpenOptions, 'encryption'> {
  return keyFile === undefined ? {} : { encryption: { keyFile } };
}

function use<T>(database: Database, work: (database: Database) => T): T {
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** Runs a command that reads. */
export function reading<T>(
  file: string,
  options: CommonOptions,
  work: (database: Database) => T,
): T {
  return use(open(file, { readonly: true, ...withKey(options) }), work);
}

export interface WritingOptions extends CommonOptions {
  /** Makes the file when it is missing. */
  readonly create?: boolean;
  readonly sync?: 'full' | 'none';
}

export function openForWriting(file: string, options: WritingOptions): Database {
  const { create = false, sync = 'full' } = options;
  return open(file, { create, sync, ...withKey(options) });
}

/** Runs a command that writes. */
export function writing<T>(
  file: string,
  options: WritingOptions,
  work: (database: Database) => T,
): T {
  return use(openForWriting(file, options), work);
}
