/**
 * A value that is too long for one operation, as the writer gathers it from parts.
 */
import { checkWellFormed } from '../shared/bytes/text.js';
import { TAG_ASCII, TAG_BYTES, TAG_UTF8 } from '../shared/bytes/value-codec.js';
import { MnemeError } from '../shared/errors.js';
import { VALUE_BYTES_MAX } from '../shared/limits.js';

export interface LongPayload {
  readonly tag: number;
  readonly bytes: Uint8Array;
}

/** @throws {MnemeError} `ERR_MNEME_VALUE_TOO_LARGE` */
export function longPayload(value: string | Uint8Array): LongPayload {
  const isText = typeof value === 'string';
  const sizeBytes = isText ? Buffer.byteLength(value) : value.length;
  if (sizeBytes > VALUE_BYTES_MAX) throw new MnemeError('ERR_MNEME_VALUE_TOO_LARGE', { sizeBytes });
  if (!isText) return { tag: TAG_BYTES, bytes: value };
  checkWellFormed(value, 'value');
  return { tag: sizeBytes === value.length ? TAG_ASCII : TAG_UTF8, bytes: Buffer.from(value) };
}
