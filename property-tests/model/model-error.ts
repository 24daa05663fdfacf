/**
 * What the model throws, and how an error of either side is told in one word.
 *
 * The model does not use the database's own error class, so that a mistake there cannot hide here.
 */
import { MnemeError } from 'mneme';

/** Stands for a `MnemeError` with this code. */
export class ModelError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** The class of an error, and its code where the code is what a caller switches on. */
export function errorKind(error: unknown): string {
  if (error instanceof ModelError || error instanceof MnemeError) return `MnemeError ${error.code}`;
  if (error instanceof TypeError) return 'TypeError';
  if (error instanceof RangeError) return 'RangeError';
  return `unexpected ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
