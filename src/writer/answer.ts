/**
 * Writes the answer to a segment into its place; shared/memory/messages.ts draws it.
 */
import { MnemeError } from '../shared/errors.js';
import { ANSWER_PAYLOAD_BYTES_MAX, answerAddress } from '../shared/memory/channel.js';
import { ANSWER_HEADER_BYTES } from '../shared/memory/messages.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import { PageMismatch } from '../shared/pages/page-file.js';

/** What stands around the items of an answer. */
const ITEMS_OVERHEAD_BYTES = 256;

/** As many of the items, from the first on, as one answer has room for as JSON. */
export function fittingItems<T>(items: readonly T[]): T[] {
  let bytes = ITEMS_OVERHEAD_BYTES;
  const end = items.findIndex((item) => {
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    return bytes > ANSWER_PAYLOAD_BYTES_MAX;
  });
  return items.slice(0, end < 0 ? items.length : end);
}

export class AnswerWriter {
  readonly #memory: SharedMemory;
  #address = 0;
  #length = 0;
  constructor(memory: SharedMemory) {
    this.#memory = memory;
  }

  /** Begins the answer to a channel's segment. */
  begin(channel: number): void {
    this.#address = answerAddress(channel);
    this.#length = 0;
  }

  number(value: number): void {
    const at = this.#address + ANSWER_HEADER_BYTES + this.#length;
    this.#memory.f64[at >>> 3] = value;
    this.#length += 8;
  }

  /** The last part of an answer. */
  bytes(bytes: Uint8Array): void {
    if (bytes.length > ANSWER_PAYLOAD_BYTES_MAX) throw new RangeError('the answer is too long');
    this.#memory.u8.set(bytes, this.#address + ANSWER_HEADER_BYTES + this.#length);
    this.#length += bytes.length;
  }

  finish(status: 0 | 1): void {
    const word = this.#address >>> 2;
    this.#memory.i32[word] = status;
    this.#memory.i32[word + 1] = this.#length;
  }

  fail(error: unknown): void {
    this.#length = 0;
    this.bytes(Buffer.from(JSON.stringify(describeError(error)).slice(0, 16384)));
    this.finish(1);
  }
}

/** An error as plain data that crosses threads whole. */
function describeError(error: unknown) {
  if (error instanceof PageMismatch) {
    const details = { page: error.pageId, reason: error.message };
    return { code: 'ERR_MNEME_CORRUPT', details };
  }
  if (error instanceof MnemeError) {
    const { cause } = error;
    const message = cause instanceof Error ? cause.message : undefined;
    return { code: error.code, details: error.details, cause: message };
  }
  const failure = error instanceof Error ? error : new Error(String(error));
  return { code: 'FAILED', message: failure.message, stack: failure.stack };
}
