/**
 * How documents and what is done to their index are sent to the writer.
 */
import { TAG_BYTES_LENGTH } from '../shared/bytes/value-codec.js';
import { MnemeError } from '../shared/errors.js';
import { VALUE_BYTES_MAX } from '../shared/limits.js';
import * as messages from '../shared/memory/messages.js';
import type { Core } from './core.js';
import { type Key, keyBytes } from './keys.js';
import type { KeyspaceAccess } from './keyspace-access.js';
import type { AnalyzedText } from './text-analysis.js';
import { OPERATION_BYTES_MAX } from './writer-connection.js';

const NO_BYTES = new Uint8Array(0);
/** Longer documents and lists of terms go in parts. */
const PART_BYTES_MAX = OPERATION_BYTES_MAX - 4096;

export class TextSender {
  readonly #core: Core;
  readonly #access: KeyspaceAccess;

  constructor(core: Core, access: KeyspaceAccess) {
    this.#core = core;
    this.#access = access;
  }

  /** @throws {MnemeError} `ERR_MNEME_VALUE_TOO_LARGE` */
  put(id: Key, text: string, { text: bytes, terms }: AnalyzedText): void {
    const sizeBytes = bytes.length - TAG_BYTES_LENGTH;
    if (sizeBytes > VALUE_BYTES_MAX) {
      throw new MnemeError('ERR_MNEME_VALUE_TOO_LARGE', { sizeBytes });
    }
    if (bytes.length + terms.length > PART_BYTES_MAX) {
      this.#putLong(keyBytes(id, 'text'), text, terms);
      return;
    }
    const fields = { code: messages.PUT_TEXT, flags: 0, number: terms.length };
    this.#access.gatherBytes(fields, id, bytes, terms);
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
