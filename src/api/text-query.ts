/**
 * What a query's text asks for. Where positions are stored, "words in quotes" follow each other and
 * a word* stands for all that begin like it; else all of it is words.
 */
import type { QueryPart } from '../reader/text-query.js';
import { cutTerm } from '../shared/bytes/term-bytes.js';

/** Turns text into terms, as bytes. */
export type AnalyzeQuery = (text: string) => Uint8Array[];

const QUOTED = /"([^"]*)"/gu;
const PREFIX = /(\S+)\*(?=\s|$)/gu;

/** The parts of a query in their order. */
export function queryParts(query: string, analyze: AnalyzeQuery, positions: boolean): QueryPart[] {
  if (!positions) return words(query, analyze);
  return splitBy(query, QUOTED, (text, isQuoted) => {
    if (isQuoted) return phrase(text, analyze);
    return splitBy(text, PREFIX, (part, isPrefix) => {
      return isPrefix ? prefix(part, analyze) : words(part, analyze);
    });
  });
}

/** What matches of a pattern, and what lies between, in their order. */
function splitBy(
  text: string,
  pattern: RegExp,
  parse: (text: string, matches: boolean) => QueryPart[],
): QueryPart[] {
  const parts: QueryPart[] = [];
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    parts.push(...parse(text.slice(at, match.index), false), ...parse(match[1] as string, true));
    at = match.index + match[0].length;
  }
  parts.push(...parse(text.slice(at), false));
  return parts;
}

function words(text: string, analyze: AnalyzeQuery): QueryPart[] {
  return analyze(text).map((term) => ({ kind: 'term', terms: [term] }));
}

function phrase(text: string, analyze: AnalyzeQuery): QueryPart[] {
  const terms = analyze(text);
  return terms.length < 2 ? words(text, analyze) : [{ kind: 'phrase', terms }];
}

/** Of several terms only the last goes on. */
function prefix(text: string, analyze: AnalyzeQuery): QueryPart[] {
  const terms = analyze(text);
  const last = terms.pop();
  const before = terms.map((term): QueryPart => ({ kind: 'term', terms: [term] }));
  return last === undefined ? before : [...before, { kind: 'prefix', terms: [last] }];
}

/** A term as it stands in an index: UTF-8, cut where it is too long. */
export function termBytes(term: string): Uint8Array {
  return new Uint8Array(Buffer.from(cutTerm(term)));
}

/** Says whether a document's term is one that a query asks for. */
export function termMatcher(
  query: string,
  analyze: (text: string) => string[],
  positions: boolean,
): (term: string) => boolean {
  const parts = queryParts(query, (text) => analyze(text).map(termBytes), positions);
  const names = (kinds: readonly QueryPart['kind'][]) => {
    const chosen = parts.filter(({ kind }) => kinds.includes(kind));
    return chosen.flatMap(({ terms }) => terms.map((term) => Buffer.from(term).toString()));
  };
  const terms = new Set(names(['term', 'phrase']));
  const prefixes = names(['prefix']);
  return (term) => terms.has(term) || prefixes.some((prefix) => term.startsWith(prefix));
}
