/**
 * The built-in analyzers: text to terms.
 *
 * 'standard' takes compatible characters for the same (NFKC), small letters for capitals, and runs
 * of letters, marks and digits for words. Scripts that put no space between words (Chinese,
 * Japanese, Thai, Lao, Khmer, Burmese) give every two neighbouring characters as a term, so that
 * what a query has of a text is found wherever a word begins. 'english' makes words with the same
 * stem the same, by Porter's algorithm ("An algorithm for suffix stripping", 1980); 'english-stop'
 * leaves out words besides that say nothing. What they give does not depend on the runtime's idea
 * of a word.
 */
import { stemmer } from 'stemmer';

const WORDS = /[\p{L}\p{N}\p{M}]+/gu;
const SPACES = /\s+/u;
/** Characters of scripts without spaces, with the marks that follow them. */
const SCRIPTS = ['Hani', 'Hira', 'Kana', 'Thai', 'Laoo', 'Khmr', 'Mymr'];
const UNSPACED = new RegExp(
  `(?:[${SCRIPTS.map((script) => `\\p{scx=${script}}`).join('')}]\\p{M}*)+`,
  'gu',
);
/** The lowest of them. */
const UNSPACED_MIN = 0x0e00;
const PLAIN_WORD = /^[a-z]+$/u;
const STEMS_MAX = 65536;

/** The stop words of Lucene's EnglishAnalyzer. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a an and are as at be but by for if in into is it no not of on or such that the their then ' +
    'there these they this to was will with'
  ).split(' '),
);

export type BuiltInAnalyzer = (text: string) => string[];

/** What an analyzer does to a word of ASCII letters and digits; undefined: it leaves it out. */
export type WordChange = (word: string) => string | undefined;

function standard(text: string): string[] {
  const words = text.normalize('NFKC').toLowerCase().match(WORDS) ?? [];
  return words.some(isUnspaced) ? words.flatMap(cutUnspaced) : words;
}

function isUnspaced(word: string): boolean {
  for (let at = 0; at < word.length; at++) {
    if (word.charCodeAt(at) >= UNSPACED_MIN) return true;
  }
  return false;
}

/** Bigrams of the parts of a run that have no spaces, and what stands between these. */
function cutUnspaced(run: string): string[] {
  const terms: string[] = [];
  let at = 0;
  for (const match of run.matchAll(UNSPACED)) {
    if (match.index > at) terms.push(run.slice(at, match.index));
    terms.push(...bigrams(match[0]));
    at = match.index + match[0].length;
  }
  if (at < run.length) terms.push(run.slice(at));
  return terms;
}

function bigrams(text: string): string[] {
  const characters = [...text];
  if (characters.length === 1) return characters;
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

const stems = new Map<string, string>();

function stem(word: string): string {
  const known = stems.get(word);
  if (known !== undefined) return known;
  if (stems.size >= STEMS_MAX) stems.clear();
  const found = PLAIN_WORD.test(word) ? stemmer(word) : word;
  stems.set(word, found);
  return found;
}

function stemUnlessStop(word: string): string | undefined {
  return STOP_WORDS.has(word) ? undefined : stem(word);
}

const changes: ReadonlyMap<string, WordChange | undefined> = new Map([
  ['standard', undefined],
  ['english', stem],
  ['english-stop', stemUnlessStop],
]);

const analyzers: ReadonlyMap<string, BuiltInAnalyzer> = new Map([
  ['standard', standard],
  ['english', (text: string) => standard(text).map(stem)],
  ['english-stop', (text: string) => standard(text).flatMap((word) => stemUnlessStop(word) ?? [])],
  ['whitespace', (text: string) => text.split(SPACES).filter((word) => word !== '')],
]);

/** The built-in analyzer of a name. */
export function builtInAnalyzer(name: string): BuiltInAnalyzer | undefined {
  return analyzers.get(name);
}

/**
 * True for analyzers that take ASCII apart as 'standard' does, and at most change its words. What
 * they do to a word is `wordChange`.
 */
export function takesWords(name: string): boolean {
  return changes.has(name);
}

export function wordChange(name: string): WordChange | undefined {
  return changes.get(name);
}
