/**
 * English words: their stems, and the words that say nothing about a text.
 *
 * The stemmer is Porter's. It takes some microseconds a word, and a text repeats its words; so
 * stems are remembered, up to a number.
 */
import { stemmer } from 'stemmer';
import { StemCache } from '../bytes/stem-cache.js';
import { asciiText } from '../bytes/text.js';
import { TERM_BYTES_MAX } from '../limits.js';

/** The classic list for English, which Lucene and the engines built on it leave out. */
export const ENGLISH_STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a an and are as at be but by for if in into is it no not of on or such ' +
    'that the their then there these they this to was will with'
  ).split(' '),
);

/** Stems that are remembered; then remembering begins anew. */
const STEMS_MAX = 65536;

/** Words to stems, remembered. A word that is left out has the empty stem; no other has. */
export class Stems {
  readonly #stems = new Map<string, string>();
  readonly #stopWords: ReadonlySet<string>;

  constructor(stopWords: ReadonlySet<string>) {
    this.#stopWords = stopWords;
  }

  /** The stem of a word of letters a to z. */
  readonly stemOf = (word: string): string => this.#stems.get(word) ?? this.#remember(word);
  /** The same for words in bytes. */
  readonly ofBytes = new StemCache(this.stemOf);

  #remember(word: string): string {
    // A piece of a text would keep the whole text in memory for as long as it is remembered.
    const copy = asciiText(Buffer.from(word, 'latin1'), 0, word.length);
    const stem = this.#stopWords.has(copy) ? '' : stemmer(copy);
    if (this.#stems.size >= STEMS_MAX) this.#stems.clear();
    this.#stems.set(copy, stem);
    return stem;
  }

  /** The stem of any term: those that are not short words of a to z are their own. */
  stemOfTerm(term: string): string {
    if (term.length > TERM_BYTES_MAX) return term;
    for (let at = 0; at < term.length; at++) {
      const code = term.charCodeAt(at);
      if (code < 0x61 || code > 0x7a) return term;
    }
    return this.stemOf(term);
  }
}
