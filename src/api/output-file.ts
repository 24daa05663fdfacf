/**
 * The place of a file that is made aside and then gets its name: what may stand there, and how the
 * name is given.
 */
import { statSync } from 'node:fs';
import { ioError, MnemeError } from '../shared/errors.js';
import type { Storage } from '../shared/pages/storage.js';

/**
 * What can be known before the work begins. A rename would put a file in the place of a device or a
 * pipe as well, so only a file may be taken the place of.
 * @throws {Error} code `EEXIST`: there is something, and it is not to be overwritten.
 * @throws {MnemeError} `ERR_MNEME_IO`: there is anything else than a file.
 */
export function assertPlace(path: string, overwrite: boolean): void {
  const standing = onDisk(path, () => statSync(path, { throwIfNoEntry: false }));
  if (standing === undefined) return;
  if (!overwrite) throw fileExists(path);
  if (standing.isFile()) return;
  throw new MnemeError('ERR_MNEME_IO', { path, reason: 'what stands there is not a file' });
}

/** A link never takes the place of a file, not even of one that was made meanwhile. */
export function giveName(
  storage: Storage,
  temporary: string,
  path: string,
  overwrite: boolean,
): void {
  onDisk(path, () => {
    if (overwrite) storage.rename(temporary, path);
    else storage.link(temporary, path);
    storage.syncDirectory(path);
  });
}

/** Runs what the system may refuse; that a file exists is told as the system tells it. */
export function onDisk<T>(path: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw isFileExists(error) ? error : ioError(error, { path });
  }
}

/** As the system says it, whoever finds it out. */
function fileExists(path: string): Error {
  const error = new Error(`EEXIST: file already exists, '${path}'`);
  return Object.assign(error, { code: 'EEXIST', path });
}

function isFileExists(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
