/**
 * The passage of a text that shows best why it was found.
 */
const WORDS_DEFAULT = 12;
const WORD = /[\p{L}\p{N}\p{M}]+/gu;
/** Of longer texts only the beginning is looked at. */
const CHARACTERS_MAX = 2 ** 18;
/** A run without spaces is looked at in pieces of so many characters. */
const RUN_CHARACTERS_MAX = 64;

export interface SnippetOptions {
  /** Stands before a word of the query. Default '<b>'. */
  readonly before?: string;
  /** Stands behind it. Default '</b>'. */
  readonly after?: string;
  /** At most so many words. Default 12. */
  readonly words?: number;
}

/** A word of a text: where it stands, and which of its parts the query has. */
interface Word {
  readonly start: number;
  readonly end: number;
  readonly terms: readonly string[];
  readonly marks: readonly (readonly [number, number])[];
}

/**
 * The words with the most different terms of the query, then the most words of it, then the first.
 * '…' stands for what is left out.
 * @param matches - Whether a term of the text is one of the query.
 */
export function snippetOf(
  text: string,
  analyze: (text: string) => Iterable<string>,
  matches: (term: string) => boolean,
  { before = '<b>', after = '</b>', words: count = WORDS_DEFAULT }: SnippetOptions,
): string {
  const known = new Map<string, Omit<Word, 'start' | 'end'>>();
  const shown = text.slice(0, CHARACTERS_MAX);
  const words = Array.from(pieces(shown), ([start, end]): Word => {
    const word = shown.slice(start, end);
    let found = known.get(word);
    if (found === undefined) {
      found = matchesIn(word, analyze, matches);
      known.set(word, found);
    }
    return { start, end, ...found };
  });
  const first = bestStart(words, count);
  const last = Math.min(first + count, words.length) - 1;
  const start = first === 0 ? 0 : (words[first] as Word).start;
  const isWhole = last === words.length - 1;
  const end = isWhole ? shown.length : (words[last] as Word).end;
  let passage = start > 0 ? '…' : '';
  let at = start;
  for (const word of words.slice(first, last + 1)) {
    for (const [from, to] of word.marks) {
      passage += text.slice(at, word.start + from) + before;
      passage += text.slice(word.start + from, word.start + to) + after;
      at = word.start + to;
    }
  }
  passage += text.slice(at, end);
  return end < text.length ? `${passage}…` : passage;
}

function* pieces(text: string): Generator<readonly [number, number]> {
  for (const match of text.matchAll(WORD)) {
    const end = match.index + match[0].length;
    for (let start = match.index; start < end; ) {
      let next = Math.min(start + RUN_CHARACTERS_MAX, end);
      // Not in the middle of a code point.
      if (next < end && (text.codePointAt(next - 1) as number) > 0xffff) next--;
      yield [start, next];
      start = next;
    }
  }
}

/** A word by itself, or each two neighbouring characters of it that are a term. */
function matchesIn(
  word: string,
  analyze: (text: string) => Iterable<string>,
  matches: (term: string) => boolean,
): Omit<Word, 'start' | 'end'> {
  const terms = [...analyze(word)].filter(matches);
  if (terms.length === 0) return { terms, marks: [] };
  const all = [...analyze(word)];
  if (all.length === 1) return { terms, marks: [[0, word.length]] };
  return { terms, marks: markedParts(word, analyze, matches) };
}

function markedParts(
  word: string,
  analyze: (text: string) => Iterable<string>,
  matches: (term: string) => boolean,
): (readonly [number, number])[] {
  const starts = [0];
  let end = 0;
  for (const character of word) {
    end += character.length;
    starts.push(end);
  }
  const marks: [number, number][] = [];
  for (let index = 0; index + 2 < starts.length; index++) {
    const [from, to] = [starts[index] as number, starts[index + 2] as number];
    const terms = [...analyze(word.slice(from, to))];
    if (terms.length !== 1 || !matches(terms[0] as string)) continue;
    const before = marks.at(-1);
    if (before !== undefined && from <= before[1]) before[1] = to;
    else marks.push([from, to]);
  }
  return marks.length > 0 ? marks : [[0, word.length]];
}

/** The first word of the best passage. */
function bestStart(words: readonly Word[], count: number): number {
  const counts = new Map<string, number>();
  let hits = 0;
  let best = 0;
  let [bestTerms, bestHits] = [0, 0];
  const change = (word: Word | undefined, by: 1 | -1) => {
    for (const term of word?.terms ?? []) {
      const now = (counts.get(term) ?? 0) + by;
      hits += by;
      if (now === 0) counts.delete(term);
      else counts.set(term, now);
    }
  };
  for (let end = 0; end < words.length; end++) {
    change(words[end], 1);
    if (end >= count) change(words[end - count], -1);
    const isBetter = counts.size > bestTerms || (counts.size === bestTerms && hits > bestHits);
    if (!isBetter) continue;
    [bestTerms, bestHits] = [counts.size, hits];
    best = Math.max(0, end - count + 1);
  }
  return centred(words, best, count);
}

/** Words before the first match are of less use than those behind the last. */
function centred(words: readonly Word[], start: number, count: number): number {
  if (start === 0) return 0;
  let spare = 0;
  while (spare < count && (words[start + spare] as Word).terms.length === 0) spare++;
  const latest = Math.max(0, words.length - count);
  return Math.min(start + Math.floor(spare / 2), Math.max(start, latest));
}
