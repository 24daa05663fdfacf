/**
 * What a text search is asked for, and how that is checked.
 */
import { invalidType, outOfRange } from '../shared/errors.js';
import { type Key, keyBytes } from './keys.js';
import { checkBm25 } from './text-analysis.js';

const TOP_K_DEFAULT = 10;

export interface FtSearchOptions {
  /** Default 10. */
  topK?: number;
  k1?: number;
  b?: number;
  /** Only ids with this prefix, or for which the function is true; applied before ranking. */
  filter?: Key | ((docId: string) => boolean);
  /** 'or' (default): documents with any of the words; 'and': with all of them. */
  operator?: 'or' | 'and';
  /** Shows the passage that fits best; words of the query stand between `before` and `after`. */
  snippet?: { before?: string; after?: string; words?: number };
}

/** A search once its options are checked. */
export interface CheckedTextSearch {
  readonly query: string;
  readonly topK: number;
  readonly k1: number | undefined;
  readonly b: number | undefined;
  readonly operator: 'or' | 'and';
  /** What a filter says of an id. */
  readonly accepts: ((id: Uint8Array) => boolean) | undefined;
  readonly snippet: FtSearchOptions['snippet'];
}

/** @throws {TypeError | RangeError} */
export function checkTextSearch(query: string, options: FtSearchOptions = {}): CheckedTextSearch {
  if (typeof query !== 'string') throw invalidType('query', 'a string', query);
  if (typeof options !== 'object' || options === null) {
    throw invalidType('options', 'an object', options);
  }
  const { topK = TOP_K_DEFAULT, k1, b, filter, operator = 'or', snippet } = options;
  checkWhole('topK', topK, 0);
  checkBm25({ ...(k1 === undefined ? {} : { k1 }), ...(b === undefined ? {} : { b }) });
  if (operator !== 'or' && operator !== 'and') {
    throw invalidType('operator', "'or' or 'and'", operator);
  }
  checkSnippet(snippet);
  return { query, topK, k1, b, operator, snippet, accepts: accepting(filter) };
}

function checkSnippet(snippet: FtSearchOptions['snippet']): void {
  if (snippet === undefined) return;
  if (typeof snippet !== 'object' || snippet === null) {
    throw invalidType('snippet', 'an object', snippet);
  }
  const { before, after, words } = snippet;
  for (const [name, mark] of Object.entries({ before, after })) {
    if (mark !== undefined && typeof mark !== 'string') {
      throw invalidType(`snippet.${name}`, 'a string', mark);
    }
  }
  if (words !== undefined) checkWhole('snippet.words', words, 1);
}

function checkWhole(name: string, value: unknown, min: number): void {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value);
  if (!Number.isSafeInteger(value) || value < min) {
    throw outOfRange(name, `a whole number of at least ${min}`, value);
  }
}

function accepting(filter: FtSearchOptions['filter']): CheckedTextSearch['accepts'] {
  if (filter === undefined) return undefined;
  if (typeof filter === 'function') return (id) => filter(Buffer.from(id).toString());
  if (typeof filter !== 'string' && !(filter instanceof Uint8Array)) {
    throw invalidType('filter', 'a prefix or a function', filter);
  }
  const prefix = Buffer.from(keyBytes(filter, 'bytes'));
  return (id) => prefix.equals(id.subarray(0, prefix.length));
}
