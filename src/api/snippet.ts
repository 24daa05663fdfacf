/**
 * The passage of a text that shows best why it was found.
 *
 * Words are cut from the text as it stands, and each is given to the analyzer alone: so a word is
 * marked whatever the analyzer makes of it, and nothing of the text is changed. In scripts that are
 * written without spaces a character, with its marks, counts as a word, and it matches together
 * with its neighbour, as the index has them.
 *
 * Work is bounded: only the beginning of a very long text is looked at, and a word that comes again
 * is not analysed again.
 */
import { cutTerm } from '../shared/bytes/term-bytes.js';
import type { Analyzer } from '../shared/keyspaces/analyzers.js';
import { isMark, unitCount, visitStretches } from '../shared/keyspaces/word-runs.js';

/** Code units, and words in them, that are looked at. */
const TEXT_LENGTH_MAX = 2 ** 18;
const WORDS_MAX = 2 ** 15;

const WORDS_DEFAULT = 12;
const OMISSION = '…';
const NO_TERMS: readonly string[] = [];

/** Which terms were searched for; a function where prefixes were. */
export type SoughtTerms = ReadonlySet<string> | ((term: string) => boolean);

export interface SnippetOptions {
  readonly before?: string;
  readonly after?: string;
  readonly words?: number;
}

/** The words of a text: where they are, and which sought terms the matching ones have. */
interface Words {
  readonly starts: number[];
  readonly ends: number[];
  /** Whether these are all words of the text. */
  isComplete: boolean;
  /** Indexes of the words that match, rising. */
  readonly matches: number[];
  /** For each of these, its terms. */
  readonly matchTerms: (readonly string[])[];
}

/** Some of the matching words: those from `first` to `last`, both counted. */
interface Passage {
  readonly first: number;
  readonly last: number;
}

/** What the analyzer makes of a word, as far as it was sought; and whether a word has a term. */
class Matcher {
  readonly #analyze: Analyzer;
  readonly #isSought: (term: string) => boolean;
  readonly #known = new Map<string, readonly string[]>();

  constructor(analyze: Analyzer, terms: SoughtTerms) {
    this.#analyze = analyze;
    this.#isSought = typeof terms === 'function' ? terms : (term) => terms.has(term);
  }

  /** The different sought terms of a word. */
  termsOf(word: string): readonly string[] {
    const known = this.#known.get(word);
    if (known !== undefined) return known;
    let found = NO_TERMS;
    for (const term of this.#analyze(word)) {
      const cut = cutTerm(term);
      if (this.#isSought(cut) && !found.includes(cut)) found = [...found, cut];
    }
    this.#known.set(word, found);
    return found;
  }
}

function addMatch({ matches, matchTerms }: Words, word: number, terms: readonly string[]): void {
  if (matches.at(-1) === word) {
    matchTerms.push([...new Set([...(matchTerms.pop() as readonly string[]), ...terms])]);
  } else {
    matches.push(word);
    matchTerms.push(terms);
  }
}

function addWord(words: Words, start: number, end: number): void {
  if (words.starts.length === WORDS_MAX) {
    words.isComplete = false;
    return;
  }
  words.starts.push(start);
  words.ends.push(end);
}

/** Adds the characters between two offsets, each with its marks, as words. */
function addCharacters(words: Words, text: string, range: { start: number; end: number }): void {
  let start = range.start;
  for (let at = start; at < range.end && words.starts.length < WORDS_MAX; ) {
    const codePoint = text.codePointAt(at) as number;
    if (at > start && !isMark(codePoint)) {
      addWord(words, start, at);
      start = at;
    }
    at += unitCount(codePoint);
  }
  addWord(words, start, range.end);
}

/**
 * Finds which of the characters from word `first` on match. Two neighbours are analysed together; a
 * term that one of them has by itself is its own, any other is of both.
 */
function matchCharacters(words: Words, text: string, first: number, matcher: Matcher): void {
  const { starts, ends } = words;
  const textOf = (from: number, to: number): string => text.slice(starts[from], ends[to]);
  const last = starts.length - 1;
  if (first === last) {
    const terms = matcher.termsOf(textOf(first, first));
    if (terms.length > 0) addMatch(words, first, terms);
  }
  for (let left = first; left < last; left++) {
    const terms = matcher.termsOf(textOf(left, left + 1));
    if (terms.length === 0) continue;
    const ofLeft = matcher.termsOf(textOf(left, left));
    const ofRight = matcher.termsOf(textOf(left + 1, left + 1));
    const isOfBoth = (term: string): boolean => !ofLeft.includes(term) && !ofRight.includes(term);
    const leftTerms = terms.filter((term) => ofLeft.includes(term) || isOfBoth(term));
    const rightTerms = terms.filter((term) => ofRight.includes(term) || isOfBoth(term));
    if (leftTerms.length > 0) addMatch(words, left, leftTerms);
    if (rightTerms.length > 0) addMatch(words, left + 1, rightTerms);
  }
}

/** The words of the beginning of a text. */
function wordsOf(wholeText: string, matcher: Matcher): Words {
  const text = wholeText.slice(0, TEXT_LENGTH_MAX);
  const isComplete = text.length === wholeText.length;
  const words: Words = { starts: [], ends: [], isComplete, matches: [], matchTerms: [] };
  visitStretches(text, (start, end, isUnspaced) => {
    const first = words.starts.length;
    if (isUnspaced) addCharacters(words, text, { start, end });
    else addWord(words, start, end);
    if (words.starts.length === first) return;
    if (isUnspaced) return matchCharacters(words, text, first, matcher);
    const terms = matcher.termsOf(text.slice(start, end));
    if (terms.length > 0) addMatch(words, first, terms);
  });
  return words;
}

/**
 * Of all passages of at most `wordCount` words, the one with the most different terms, then with
 * the most matching words, then the earliest; undefined when nothing matches. What surrounds the
 * matches makes none better, so only those that begin and end with one are looked at.
 */
function bestPassage({ matches, matchTerms }: Words, wordCount: number): Passage | undefined {
  const counts = new Map<string, number>();
  let best: Passage | undefined;
  let bestTerms = 0;
  let last = -1;
  for (let first = 0; first < matches.length; first++) {
    const end = (matches[first] as number) + wordCount;
    while (last + 1 < matches.length && (matches[last + 1] as number) < end) {
      last += 1;
      for (const term of matchTerms[last] as readonly string[]) {
        counts.set(term, (counts.get(term) ?? 0) + 1);
      }
    }
    const isLonger = best === undefined || last - first > best.last - best.first;
    if (counts.size > bestTerms || (counts.size === bestTerms && isLonger)) {
      bestTerms = counts.size;
      best = { first, last };
    }
    for (const term of matchTerms[first] as readonly string[]) {
      const left = (counts.get(term) as number) - 1;
      if (left === 0) counts.delete(term);
      else counts.set(term, left);
    }
  }
  return best;
}

/** The first of the words to show: as many before the passage as behind it, where there are. */
function firstShown(words: Words, passage: Passage | undefined, wordCount: number): number {
  if (passage === undefined) return 0;
  const first = words.matches[passage.first] as number;
  const last = words.matches[passage.last] as number;
  const around = wordCount - (last - first + 1);
  const start = Math.min(first - (around >>> 1), words.starts.length - wordCount);
  return Math.max(start, 0);
}

/**
 * A passage of the text, as it stands, with every matching word between `before` and `after`, and
 * '…' where text is left out at an end. Neighbouring characters that match, in scripts written
 * without spaces, are marked together. Nothing is escaped. The beginning when no word matches.
 *
 * @param terms - What was searched for, as the analyzer made it of the query and the index cut it.
 */
export function snippetOf(
  text: string,
  analyze: Analyzer,
  terms: SoughtTerms,
  { before = '<b>', after = '</b>', words: wordCount = WORDS_DEFAULT }: SnippetOptions = {},
): string {
  const words = wordsOf(text, new Matcher(analyze, terms));
  const { starts, ends, matches, isComplete } = words;
  const passage = bestPassage(words, wordCount);
  const first = firstShown(words, passage, wordCount);
  const last = Math.min(first + wordCount, starts.length) - 1;
  const isToEnd = isComplete && last === starts.length - 1;
  const end = isToEnd ? text.length : (ends[last] ?? 0);
  let at = first === 0 ? 0 : (starts[first] as number);
  let shown = first === 0 ? '' : OMISSION;
  for (let match = passage?.first ?? 0; match <= (passage?.last ?? -1); match++) {
    const start = starts[matches[match] as number] as number;
    while (match < (passage as Passage).last && isJoined(words, match)) match += 1;
    const markEnd = ends[matches[match] as number] as number;
    shown += text.slice(at, start) + before + text.slice(start, markEnd) + after;
    at = markEnd;
  }
  return shown + text.slice(at, end) + (isToEnd ? '' : OMISSION);
}

/** Whether nothing is between a matching word and the next that matches. */
function isJoined({ starts, ends, matches }: Words, match: number): boolean {
  return ends[matches[match] as number] === starts[matches[match + 1] as number];
}
