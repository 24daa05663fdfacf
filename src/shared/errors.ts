/**
 * Every failure that a caller, the machine or a file can cause, as one class of plain data.
 *
 * Wrong types and ranges of arguments are TypeError and RangeError with Node's own codes, because
 * that is what every Node API does; all else is a MnemeError whose `code` can be switched on.
 */

/** The one table of codes and texts. */
const MESSAGES = {
  ERR_MNEME_CLOSED: 'the database, snapshot or iterator is closed',
  ERR_MNEME_READONLY: 'the database was opened for reading only',
  ERR_MNEME_NOT_FOUND: 'there is no such file',
  ERR_MNEME_LOCKED: 'another writer holds the lock',
  ERR_MNEME_IO: 'reading or writing the file failed',
  ERR_MNEME_REMOTE_FS: 'the file is on a network file system, where locks cannot be trusted',
  ERR_MNEME_WRITER_DIED: 'the writer is gone; close and open the database again',
  ERR_MNEME_NOT_A_DATABASE: 'the file is not a MNEME database',
  ERR_MNEME_FORMAT_VERSION: 'the file was written by a newer MNEME',
  ERR_MNEME_CORRUPT: 'the file is damaged',
  ERR_MNEME_TYPE_MISMATCH: 'type mismatch',
  ERR_MNEME_INTEGER_OVERFLOW: 'the result does not fit a 64-bit integer',
  ERR_MNEME_DIMENSION_MISMATCH: 'the vector has another dimension',
  ERR_MNEME_KEY_TOO_LARGE: 'the key is longer than 1024 bytes',
  ERR_MNEME_VALUE_TOO_LARGE: 'the value is longer than 1 GiB - 1 byte',
  ERR_MNEME_BATCH_ACTIVE: 'not possible while a batch is running',
  ERR_MNEME_BATCH_CLOSED: 'the batch has ended',
  ERR_MNEME_ASYNC_BATCH: 'a batch callback must not return a promise',
  ERR_MNEME_ANALYZER_MISSING: 'the keyspace was made with an analyzer that is not given',
  ERR_MNEME_ANALYZER_MISMATCH: 'the keyspace was made with another analyzer',
  ERR_MNEME_ANALYZER_FAILED: 'the analyzer threw',
  ERR_MNEME_KEY_REQUIRED: 'the keyspace is encrypted and no key was given',
  ERR_MNEME_KEY_NOT_AUTHORIZED: 'the key does not open this database',
  ERR_MNEME_KEY_NOT_FOUND: 'no slot holds this key',
  ERR_MNEME_LAST_KEY: 'the last key cannot be removed',
  ERR_MNEME_ENCRYPTION_MISMATCH: 'the keyspace is stored with another encryption setting',
} as const;

/** What can go wrong; docs/errors.md says when, and what to do. */
export type MnemeErrorCode = keyof typeof MESSAGES;
/** Facts by their names: plain data. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** Every failure a caller can meet, such as `ERR_MNEME_KEY_TOO_LARGE` with `{ sizeBytes }`. */
export class MnemeError extends Error {
  /** 'MnemeError'. */
  override readonly name = 'MnemeError';
  /** What to switch on. */
  readonly code: MnemeErrorCode;
  /** What is known of the failure: plain data that can cross threads. */
  readonly details: ErrorDetails;
  constructor(code: MnemeErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    const facts = Object.keys(details).length > 0 ? ` ${describe(details)}` : '';
    super(`${MESSAGES[code]}${facts}`, options);
    this.code = code;
    this.details = details;
  }
}

function describe(details: ErrorDetails): string {
  return JSON.stringify(details, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
}

export function isErrorCode(code: string): code is MnemeErrorCode {
  return Object.hasOwn(MESSAGES, code);
}

/** A TypeError with Node's code, for an argument of the wrong type. */
export function invalidType(name: string, expected: string, actual: unknown): TypeError {
  const error = new TypeError(`${name} must be ${expected}, got ${kindOf(actual)}`);
  return Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' });
}

/** A RangeError with Node's code, for an argument out of range. */
export function outOfRange(name: string, expected: string, actual: unknown): RangeError {
  const error = new RangeError(`${name} must be ${expected}, got ${String(actual)}`);
  return Object.assign(error, { code: 'ERR_OUT_OF_RANGE' });
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  return value.constructor?.name ?? 'object';
}

/** A TypeError with Node's code, for an argument of the right type that cannot be meant. */
export function invalidValue(name: string, expected: string, actual: unknown): TypeError {
  const error = new TypeError(`${name} must be ${expected}, got ${String(actual)}`);
  return Object.assign(error, { code: 'ERR_INVALID_ARG_VALUE' });
}

/** A failed system call as `ERR_MNEME_IO` with its cause; other errors as they are. */
export function ioError(cause: unknown, details: ErrorDetails = {}): unknown {
  if (cause instanceof MnemeError) return cause;
  if (cause instanceof Error && 'syscall' in cause) {
    const code = 'code' in cause ? cause.code : undefined;
    return new MnemeError('ERR_MNEME_IO', { ...details, cause: code }, { cause });
  }
  return cause;
}
