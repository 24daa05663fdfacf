/**
 * How documents and what is done to their index are sent to the writer.
 */
import { TAG_ASCII, TAG_UTF8 } from '../shared/bytes/value-codec.js';
import { MnemeError } from '../shared/errors.js';
import { VALUE_BYTES_MAX } from '../shared/limits.js';
import * as messages from '../shared/memory/messages.js';
import type { Core } from './core.js';
import type { KeyspaceAccess } from './keyspace-access.js';
import type { AnalyzedText } from './text-analysis.js';
import { OPERATION_BYTES_MAX } from './writer-connection.js';

const NO_BYTES = new Uint8Array(0);
/** Longer documents and lists of terms go in parts. */
const PART_BYTES_MAX = OPERATION_BYTES_MAX - 4096;

export class TextSender {
  readonly #core: Core;
  readonly #access: KeyspaceAccess;
  #value = new Uint8Array(4096);

  constructor(core: Core, access: KeyspaceAccess) {
    this.#core = core;
    this.#access = access;
  }

  /** @throws {MnemeError} `ERR_MNEME_VALUE_TOO_LARGE` */
  put(id: Uint8Array, text: string, { text: bytes, isAscii, terms }: AnalyzedText): void {
    const sizeBytes = bytes.length;
    if (sizeBytes > VALUE_BYTES_MAX) {
      throw new MnemeError('ERR_MNEME_VALUE_TOO_LARGE', { sizeBytes });
    }
    const length = 1 + sizeBytes + terms.length;
    if (length > PART_BYTES_MAX) {
      this.#putLong(id, text, terms);
      return;
    }
    if (this.#value.length < length) this.#value = new Uint8Array(2 * length);
    const value = this.#value.subarray(0, length);
    value[0] = isAscii ? TAG_ASCII : TAG_UTF8;
    value.set(bytes, 1);
    value.set(terms, 1 + sizeBytes);
    const fields = { code: messages.PUT_TEXT, flags: 0, number: terms.length };
    this.#access.gatherBytes(fields, id, value);
  }

  /** What does not fit one operation goes in several, all in one transaction. */
  #putLong(id: Uint8Array, text: string, terms: Uint8Array): void {
    this.#inTransaction(() => {
      this.#sendTerms(terms, 0);
      const fields = { code: messages.PUT_TEXT, flags: 0, number: 0 };
      this.#access.sendLong(fields, id, text);
    });
  }

  #inTransaction(send: () => void): void {
    const { transactions } = this.#core;
    if (transactions.isActive) send();
    else transactions.run(send);
  }

  /** Sends the terms of the next operation, but for at most `left` bytes; returns these. */
  #sendTerms(terms: Uint8Array, left: number): Uint8Array {
    let at = 0;
    while (terms.length - at > left) {
      const part = terms.subarray(at, at + PART_BYTES_MAX);
      this.#access.gatherBytes({ code: messages.TERMS, flags: 0, number: 0 }, NO_BYTES, part);
      at += part.length;
    }
    return terms.subarray(at);
  }

  /** Gives a document's terms to the index that is being built, within a batch. */
  index(number: number, terms: Uint8Array): void {
    const rest = this.#sendTerms(terms, PART_BYTES_MAX);
    this.#access.gatherBytes({ code: messages.INDEX_TEXT, flags: 0, number }, NO_BYTES, rest);
  }

  /** Takes a document that is gone out of the index that is being built, within a batch. */
  unindex(number: number): void {
    this.#access.gatherBytes({ code: messages.UNINDEX_TEXT, flags: 0, number }, NO_BYTES, NO_BYTES);
  }

  /** Sends an operation that says all by its code. */
  control(code: number): void {
    this.#access.gatherBytes({ code, flags: 0, number: 0 }, NO_BYTES, NO_BYTES);
  }
}
