/**
 * Checks for our own mistakes. A failed one is a bug in MNEME, never a caller's or a file's fault.
 */

/** A broken promise inside MNEME. The writer closes the database on it; nobody else catches it. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws when `holds` is false; `message` states the fact that should hold. */
export function assert(holds: boolean, message: string): asserts holds {
  if (!holds) throw new AssertionError(`MNEME has a bug, this must hold: ${message}`);
}

/** True where tests run: then what is too costly for every commit is proved as well. */
export const PROVES_ALL = process.env['MNEME_VERIFY'] === '1';
