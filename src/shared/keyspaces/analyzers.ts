/**
 * Analyzers: what of a text is found by a search, as terms in their order.
 *
 *   name          terms
 *   standard      NFKC, lower case, runs of letters, marks and digits; in scripts that are written
 *                 without spaces each two neighbouring code points, and a lone one by itself
 *   english       the same, words of a to z as their stems
 *   english-stop  the same, without the words that almost every text has
 *   whitespace    what stands between white space, unchanged
 *
 * Text without spaces needs no dictionary this way: whoever looks for a part of it, of two
 * characters or more, looks for pairs that are in the index too.
 */
import type { StemCache } from '../bytes/stem-cache.js';
import { TERM_BYTES_MAX } from '../limits.js';
import { ENGLISH_STOP_WORDS, Stems } from './english.js';
import { isAscii, isMark, unitCount, visitStretches } from './word-runs.js';

/** Any function that makes terms of a text. */
export type Analyzer = (text: string) => Iterable<string>;

export type TermVisitor = (term: string) => void;

/** An analyzer of ours. */
export interface BuiltIn {
  /** Calls `visit` with every term in order, so that a long text needs no list of them. */
  readonly visitTerms: (text: string, visit: TermVisitor) => void;
  /** For ASCII: its words are what `standard` finds, with these stems if there are any. */
  readonly ascii?: { readonly stems?: StemCache };
}

/**
 * Marks in a row that are put into order together: more would take time by the square of their
 * number, and a term holds no more.
 */
const MARKS_MAX = TERM_BYTES_MAX;

/** NFKC; of a longer row of marks than any script writes, in parts. */
function normalize(text: string): string {
  let normal = '';
  let start = 0;
  let marks = 0;
  for (let at = 0; at < text.length; ) {
    const codePoint = text.codePointAt(at) as number;
    at += unitCount(codePoint);
    marks = isMark(codePoint) ? marks + 1 : 0;
    if (marks < MARKS_MAX) continue;
    normal += text.slice(start, at).normalize('NFKC');
    start = at;
    marks = 0;
  }
  return normal + text.slice(start).normalize('NFKC');
}

/** Each two neighbouring code points between `start` and `end`; a lone one by itself. */
function visitPairs(
  text: string,
  { start, end }: { start: number; end: number },
  visit: TermVisitor,
): void {
  let middle = start + unitCount(text.codePointAt(start) as number);
  if (middle >= end) visit(text.slice(start, end));
  while (middle < end) {
    const next = middle + unitCount(text.codePointAt(middle) as number);
    visit(text.slice(start, next));
    start = middle;
    middle = next;
  }
}

/** The terms of `standard` for any text. */
export function visitStandardTerms(text: string, visit: TermVisitor): void {
  const normal = normalize(text).toLowerCase();
  visitStretches(normal, (start, end, isUnspaced) => {
    if (isUnspaced) visitPairs(normal, { start, end }, visit);
    else visit(normal.slice(start, end));
  });
}

function isAsciiWordUnit(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
}

/** The same for ASCII, which is in normal form and has no other scripts. */
function visitAsciiTerms(text: string, visit: TermVisitor): void {
  const lower = text.toLowerCase();
  for (let at = 0; at < lower.length; at++) {
    if (!isAsciiWordUnit(lower.charCodeAt(at))) continue;
    const start = at;
    while (at < lower.length && isAsciiWordUnit(lower.charCodeAt(at))) at += 1;
    visit(lower.slice(start, at));
  }
}

function visitStandard(text: string, visit: TermVisitor): void {
  if (isAscii(text)) visitAsciiTerms(text, visit);
  else visitStandardTerms(text, visit);
}

function english(stopWords: ReadonlySet<string>): BuiltIn {
  const stems = new Stems(stopWords);
  const visitTerms = (text: string, visit: TermVisitor): void =>
    visitStandard(text, (term) => {
      const stem = stems.stemOfTerm(term);
      if (stem !== '') visit(stem);
    });
  return { visitTerms, ascii: { stems: stems.ofBytes } };
}

/** The characters with Unicode's White_Space property. */
const WHITE_SPACE: ReadonlySet<number> = new Set([
  ...[0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f],
  ...[0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a],
  0x3000,
]);

function visitSpaced(text: string, visit: TermVisitor): void {
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    if (at < text.length && !WHITE_SPACE.has(text.charCodeAt(at))) continue;
    if (at > start) visit(text.slice(start, at));
    start = at + 1;
  }
}

const BUILT_IN: ReadonlyMap<string, BuiltIn> = new Map<string, BuiltIn>([
  ['standard', { visitTerms: visitStandard, ascii: {} }],
  ['english', english(new Set())],
  ['english-stop', english(ENGLISH_STOP_WORDS)],
  ['whitespace', { visitTerms: visitSpaced }],
]);

/** Our analyzer with this name, or undefined. */
export function builtIn(name: string): BuiltIn | undefined {
  return BUILT_IN.get(name);
}

/** Our analyzer with this name as a function, or undefined. */
export function builtInAnalyzer(name: string): ((text: string) => string[]) | undefined {
  const found = BUILT_IN.get(name);
  if (found === undefined) return undefined;
  return (text) => {
    const terms: string[] = [];
    found.visitTerms(text, (term) => terms.push(term));
    return terms;
  };
}
