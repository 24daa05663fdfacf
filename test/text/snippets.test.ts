/**
 * Snippets: which passage of a text is shown, and what of it is marked.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { snippetOf } from '../../dist/api/snippet.js';
import { builtInAnalyzer } from '../../dist/shared/keyspaces/analyzers.js';
import { announce, SEED } from '../../property-tests/counts.js';

const RUNS = 2000;

function analyzer(name: string): (text: string) => string[] {
  const found = builtInAnalyzer(name);
  if (found === undefined) throw new Error(`there is no analyzer ${name}`);
  return found;
}
const [standard, english, whitespace] = [
  analyzer('standard'),
  analyzer('english'),
  analyzer('whitespace'),
];

/** The snippet for a query, with brackets for marks. */
function marked(text: string, query: string, words = 12, analyze = standard): string {
  const terms = new Set(analyze(query));
  return snippetOf(text, analyze, terms, { before: '[', after: ']', words });
}

const numbers = (first: number, last: number): string =>
  Array.from({ length: last - first + 1 }, (_, index) => `w${first + index}`).join(' ');

describe('what is marked', () => {
  test.each<[string, string, string, string]>([
    ['a word', 'The quick fox.', 'QUICK', 'The [quick] fox.'],
    ['every time', 'a b a', 'a', '[a] b [a]'],
    ['several words', 'a b c', 'c a', '[a] b [c]'],
    ['no part of a word', 'catalog cat', 'cat', 'catalog [cat]'],
    [
      'a word with accents in two code points',
      'une e\u0301te\u0301',
      'été',
      'une [e\u0301te\u0301]',
    ],
    ['a fullwidth word', 'the ＡＢＣ', 'abc', 'the [ＡＢＣ]'],
    ['characters', '我爱北京天安门', '北京', '我爱[北京]天安门'],
    ['characters together', '我爱北京天安门', '北京天', '我爱[北京天]安门'],
    ['characters apart', '北京和北京', '北京', '[北京]和[北京]'],
    ['a lone character', '京 北京', '京', '[京] 北京'],
    ['characters beside letters', '東京tower', '東京', '[東京]tower'],
    ['letters beside characters', '東京tower', 'tower', '東京[tower]'],
    ['halfwidth katakana', 'このｶﾞｲﾄﾞは', 'ガイド', 'この[ｶﾞｲﾄﾞ]は'],
    ['kana in two code points', 'はか\u3099くせい', 'がく', 'は[か\u3099く]せい'],
    ['Thai, with all its marks', 'ดื่มน้ำมาก', 'น้ำ', 'ดื่ม[น้ำ]มาก'],
    ['Thai, though a mark is left out', 'ที่นี่', 'ที', '[ที่]นี่'],
    ['ideographs outside the first plane', '行𠮷野家', '𠮷野', '行[𠮷野]家'],
  ])('%s', (_, text, query, snippet) => {
    expect(marked(text, query)).toBe(snippet);
  });

  test('a word with the same stem', () => {
    expect(marked('He runs; running.', 'run', 12, english)).toBe('He [runs]; [running].');
  });

  test('a word that any function makes the term of', () => {
    const sounds = (text: string) => (text.match(/\w+/g) ?? []).map((found) => found.slice(0, 1));
    expect(marked('big cats', 'bat', 12, sounds)).toBe('[big] cats');
    const letters = (text: string) => [...text];
    expect(marked('我爱北京', '爱', 12, letters)).toBe('我[爱]北京');
    expect(marked('Big big', 'big', 12, whitespace)).toBe('Big [big]');
  });

  test('words that begin with a prefix', () => {
    const isSought = (term: string): boolean => term.startsWith('cat');
    expect(snippetOf('Cats and a catalog', standard, isSought)).toBe(
      '<b>Cats</b> and a <b>catalog</b>',
    );
  });

  test('a word that is longer than a term, by its cut term', () => {
    const long = 'é'.repeat(200);
    expect(snippetOf(`a ${long}`, standard, new Set(['é'.repeat(127)]))).toBe(`a <b>${long}</b>`);
  });
});

describe('what is shown', () => {
  test.each<[string, string, string, string]>([
    ['nothing of nothing', '', 'a', ''],
    ['a text without words', ' .. ', 'a', ' .. '],
    ['the beginning when nothing matches', 'a b c d e f.', 'x', 'a b c d…'],
    ['all of a short text', '"a" b.', 'a', '"[a]" b.'],
    ['the beginning', numbers(1, 9), 'w1', '[w1] w2 w3 w4…'],
    ['the end', `${numbers(1, 9)}.`, 'w9', '…w6 w7 w8 [w9].'],
    ['words on both sides', numbers(1, 9), 'w5', '…w4 [w5] w6 w7…'],
    ['most terms', 'a a a x x x a b', 'a b', '…x x [a] [b]'],
    ['then most words', `a x x x a ${numbers(1, 4)} a a`, 'a', '…w3 w4 [a] [a]'],
    ['then what comes first', `x a ${numbers(1, 9)} a`, 'a', 'x [a] w1 w2…'],
    ['no more than fits', 'a x x x x b', 'a b', '[a] x x x…'],
    ['characters as words', '一二三四五六七八', '五六', '…四[五六]七…'],
  ])('%s', (_, text, query, snippet) => {
    expect(marked(text, query, 4)).toBe(snippet);
  });

  test('twelve words, with marks for HTML', () => {
    expect(snippetOf(numbers(1, 40), standard, new Set(['w20']))).toBe(
      `…${numbers(15, 19)} <b>w20</b> ${numbers(21, 26)}…`,
    );
  });

  test('only what is near the beginning of a very long text', () => {
    const text = `${numbers(1, 100_000)} found`;
    expect(marked(text, 'w20', 2)).toBe('…[w20] w21…');
    expect(marked(text, 'found', 2)).toBe('w1 w2…');
    expect(marked('京'.repeat(1_000_000), '都', 2)).toBe('京京…');
    expect(marked(`a ${'𠮷'.repeat(400_000)}`, '𠮷𠮷', 3)).toBe('…[𠮷𠮷𠮷]…');
    expect(marked(`${'-'.repeat(2 ** 18 - 1)}𠮷a`, 'a', 3)).toBe('…');
    expect(marked(`a${'-'.repeat(2 ** 18 - 2)}𠮷a`, 'a', 3)).toBe('[a]…');
  });
});

// ------------------------------------------------------------------------------ a slow twin

interface Window {
  terms: number;
  words: number;
  text: string;
}

/** What a window of some words shows, and how good it is. */
function slowWindow(all: readonly string[], sought: Set<string>, [first, end]: [number, number]) {
  const shown = all.slice(first, end);
  const found = shown.filter((word) => sought.has(word));
  const text = shown.map((word) => (sought.has(word) ? `[${word}]` : word)).join(' ');
  const [before, after] = [first > 0 ? '…' : '', end < all.length ? '…' : ''];
  return { terms: new Set(found).size, words: found.length, text: before + text + after };
}

/** Every window that is as good as the best; the first ones show the same matches. */
function slowWindows(all: readonly string[], sought: Set<string>, size: number): Window[] {
  const starts = Array.from({ length: Math.max(all.length - size, 0) + 1 }, (_, start) => start);
  const windows = starts.map((start) =>
    slowWindow(all, sought, [start, Math.min(start + size, all.length)]),
  );
  const score = ({ terms, words }: Window): number => terms * 1000 + words;
  const best = Math.max(...windows.map(score));
  return windows.filter((window) => score(window) === best);
}

const letters = fc.array(fc.constantFrom(...'abcdefxxxxxx'), { minLength: 1, maxLength: 30 });

test('a snippet is one of the best windows, and none shows other matches earlier', () => {
  const cases = fc.tuple(letters, fc.subarray([...'abcdef']), fc.integer({ min: 1, max: 8 }));
  announce('snippets', RUNS);
  fc.assert(
    fc.property(cases, ([all, query, size]) => {
      const windows = slowWindows(all, new Set(query), size).map(({ text }) => text);
      const snippet = marked(all.join(' '), query.join(' '), size);
      expect(windows).toContain(snippet);
      const matchesOf = (text = ''): string[] => text.match(/\[\w\]/g) ?? [];
      expect(matchesOf(snippet)).toEqual(matchesOf(windows[0]));
    }),
    { seed: SEED, numRuns: RUNS },
  );
});

test('without its marks and omissions a snippet is a part of the text', () => {
  const part = fc.constantFrom(
    'a',
    'b ',
    '京',
    '北',
    'ที่',
    'น้ำ',
    'ｶﾞ',
    '𠮷',
    ' ',
    '. ',
    '\u0301',
    '🙂',
  );
  const cases = fc.tuple(
    fc.array(part, { maxLength: 30 }).map((parts) => parts.join('')),
    fc.array(part, { maxLength: 4 }).map((parts) => parts.join('')),
    fc.integer({ min: 1, max: 10 }),
  );
  announce('snippets as parts', RUNS);
  fc.assert(
    fc.property(cases, ([text, query, size]) => {
      const snippet = marked(text, query, size);
      const plain = snippet.replace(/^…|…$/g, '').replace(/[[\]]/g, '');
      expect(text).toContain(plain);
      if (!snippet.startsWith('…')) expect(text.startsWith(plain)).toBe(true);
      if (!snippet.endsWith('…')) expect(text.endsWith(plain)).toBe(true);
      expect(snippet).not.toMatch(/\]\p{M}/u);
    }),
    { seed: SEED, numRuns: RUNS },
  );
});
