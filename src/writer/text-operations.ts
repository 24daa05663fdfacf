/**
 * The operations on documents within the open transaction, one by one.
 */
import { MnemeError } from '../shared/errors.js';
import type { TextSettings } from '../shared/keyspaces/text-state.js';
import * as messages from '../shared/memory/messages.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import type { AnswerWriter } from './answer.js';
import type { OperationContext } from './collection-operations.js';
import type { Engine } from './engine.js';
import { type SentText, TextWriter } from './keyspaces/fulltext.js';
import type { OpenKeyspace } from './keyspaces/open-keyspace.js';
import type { KeyRange } from './keyspaces/values.js';

export class TextOperations {
  readonly #memory: SharedMemory;
  readonly #answer: AnswerWriter;
  readonly #texts: TextWriter;
  /** Terms that came before the operation that they belong to. */
  #terms: Uint8Array[] = [];

  constructor(engine: Engine, answer: AnswerWriter) {
    this.#memory = engine.memory;
    this.#answer = answer;
    this.#texts = new TextWriter(engine);
  }

  settle(): void {
    this.#texts.settle();
  }

  get pagesToSettle(): number {
    return this.#texts.pagesToSettle;
  }

  forget(): void {
    this.#terms = [];
    this.#texts.forget();
  }

  /** False when the code is not of an operation on documents. */
  run(place: messages.OperationPlace, context: OperationContext): boolean {
    const key = { bytes: this.#memory.u8, start: place.keyStart, end: place.keyEnd };
    const texts = this.#texts;
    switch (place.code) {
      case messages.PUT_TEXT: {
        const terms = this.#takeTerms(place.valueEnd - place.number, place.valueEnd);
        const text = this.#sentText(place, context);
        texts.put(indexedAsAsked(context), key, terms, text);
        break;
      }
      case messages.DELETE_TEXT:
        this.#answer.number(texts.delete(context.keyspace(), key) ? 1 : 0);
        break;
      case messages.TERMS:
        this.#terms.push(this.#memory.u8.slice(place.keyEnd, place.valueEnd));
        break;
      case messages.INDEX_TEXT: {
        const terms = this.#takeTerms(place.keyEnd, place.valueEnd);
        texts.index(context.keyspace(), place.number, terms);
        break;
      }
      case messages.UNINDEX_TEXT:
        texts.unindex(context.keyspace(), place.number);
        break;
      case messages.PAUSE_TEXT:
        texts.pause(context.keyspace());
        break;
      case messages.BEGIN_REBUILD:
        texts.beginRebuild(context.keyspace(), settingsOf(context));
        break;
      case messages.END_REBUILD:
        texts.endRebuild(context.keyspace(), settingsOf(context));
        break;
      default:
        return false;
    }
    return true;
  }

  /** The terms in the memory's `[start, end)`, behind those that came before. */
  #takeTerms(start: number, end: number): KeyRange {
    if (this.#terms.length === 0) return { bytes: this.#memory.u8, start, end };
    const bytes = Buffer.concat([...this.#terms, this.#memory.u8.subarray(start, end)]);
    this.#terms = [];
    return { bytes, start: 0, end: bytes.length };
  }

  #sentText(place: messages.OperationPlace, context: OperationContext): SentText {
    const isLong = (place.flags & messages.PARTS) !== 0;
    const extents = isLong ? context.takeExtents() : undefined;
    const end = place.valueEnd - place.number;
    return { bytes: this.#memory.u8, start: place.keyEnd, end, extents };
  }
}

/** @throws {MnemeError} when terms come from another analyzer than those that are indexed. */
function indexedAsAsked(context: OperationContext): OpenKeyspace {
  const keyspace = context.keyspace();
  const stored = keyspace.record.text?.analyzerName;
  const asked = settingsOf(context).analyzerName;
  if (stored !== asked) throw new MnemeError('ERR_MNEME_ANALYZER_MISMATCH', { stored, asked });
  return keyspace;
}

function settingsOf(context: OperationContext): TextSettings {
  const settings = context.settings();
  if (settings === undefined) throw new MnemeError('ERR_MNEME_TYPE_MISMATCH', { asked: 'text' });
  return settings;
}
