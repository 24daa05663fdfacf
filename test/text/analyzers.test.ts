/**
 * The built-in analyzers: examples for every script, and slow, obvious definitions of the same.
 */
import fc from 'fast-check';
import { stemmer } from 'stemmer';
import { describe, expect, test } from 'vitest';
import { builtInAnalyzer, visitStandardTerms } from '../../dist/shared/keyspaces/analyzers.js';
import { ENGLISH_STOP_WORDS } from '../../dist/shared/keyspaces/english.js';
import { announce, SEED } from '../../property-tests/counts.js';

const RUNS = 2000;

function analyzer(name: string): (text: string) => string[] {
  const found = builtInAnalyzer(name);
  if (found === undefined) throw new Error(`there is no analyzer ${name}`);
  return found;
}
const [standard, english] = [analyzer('standard'), analyzer('english')];
const [englishStop, whitespace] = [analyzer('english-stop'), analyzer('whitespace')];

/** The terms of `standard` by the general way, ASCII or not. */
function generalTerms(text: string): string[] {
  const terms: string[] = [];
  visitStandardTerms(text, (term) => terms.push(term));
  return terms;
}

// ------------------------------------------------------------------------------ slow twins

const UNSPACED =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const SHARED = '\u3006\u3031\u3032\u3033\u3034\u3035\u303c\u3099\u309a\u30fc';

const isUnspaced = (character: string): boolean =>
  UNSPACED.test(character) || SHARED.includes(character);

/** A run cut where its script changes; a mark stays with the character before it. */
function slowStretches(run: string): string[][] {
  const stretches: string[][] = [];
  let isLastUnspaced: boolean | undefined;
  for (const character of run) {
    const isAttached = isLastUnspaced !== undefined && /\p{M}/u.test(character);
    const isThisUnspaced = isAttached ? isLastUnspaced : isUnspaced(character);
    if (isThisUnspaced === isLastUnspaced) stretches.at(-1)?.push(character);
    else stretches.push([character]);
    isLastUnspaced = isThisUnspaced;
  }
  return stretches;
}

function slowStandard(text: string): string[] {
  const runs =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  return runs.flatMap(slowStretches).flatMap((stretch) => {
    if (!isUnspaced(stretch[0] as string) || stretch.length === 1) return [stretch.join('')];
    return stretch.slice(1).map((character, index) => `${stretch[index]}${character}`);
  });
}

function slowEnglish(text: string): string[] {
  return slowStandard(text).map((term) => (/^[a-z]+$/.test(term) ? stemmer(term) : term));
}

/** Characters of many scripts, and what makes trouble between them. */
const character = fc.oneof(
  fc.constantFrom(...'aZé09_ .-\'"İΣσςſK①½ﬁ㎏ｶﾞﾊﾟ'),
  fc.constantFrom(...'東京都のラーメン々〆〇ーｱ𠮷葛한국어'),
  fc.constantFrom(...'กาที่น้ำๆ๑ລາວខ្មែរမြန်မာ'),
  fc.constantFrom(...'\u0301\u0323\u3099\u309a\ufe0f\u{e0100}\u02bc\u0303\u200b\u200d\n\u3000🙂'),
  fc.constantFrom(...'אבعربहिन्दीদ'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
);
const anyText = fc.array(character, { maxLength: 40 }).map((characters) => characters.join(''));
const asciiText = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 80 }),
  fc
    .array(fc.constantFrom('The', 'running', 'dogs', 'X86', 'a', ' ', "'", '\0', '-'), {
      maxLength: 40,
    })
    .map((parts) => parts.join('')),
);

function checkAll<Value>(title: string, values: fc.Arbitrary<Value>, check: (v: Value) => void) {
  announce(title, RUNS);
  fc.assert(fc.property(values, check), { seed: SEED, numRuns: RUNS });
}

// ------------------------------------------------------------------------------ standard

test.each<[string, string, string[]]>([
  ['nothing', '', []],
  ['breaks only', ' \n.,;-_🙂', []],
  ['English', 'The quick-brown FOX, 2 x_y', ['the', 'quick', 'brown', 'fox', '2', 'x', 'y']],
  ['apostrophes', "don't", ['don', 't']],
  ['French', 'Cœur d’été', ['cœur', 'd', 'été']],
  ['accents in two code points', 'e\u0301te\u0301', ['été']],
  ['German', 'STRASSE Straße', ['strasse', 'straße']],
  ['Greek, with its final sigma', 'ΟΔΟΣ', ['οδος']],
  ['Russian', 'Война и мир', ['война', 'и', 'мир']],
  ['Hebrew', 'שלום עולם', ['שלום', 'עולם']],
  ['Arabic with vowel marks', 'كِتَاب', ['كِتَاب']],
  ['Hindi, whose vowels are marks', 'हिन्दी भाषा', ['हिन्दी', 'भाषा']],
  ['Korean, which has spaces', '한국어 문서', ['한국어', '문서']],
  ['Chinese', '我爱北京', ['我爱', '爱北', '北京']],
  ['a lone ideograph', '我 a', ['我', 'a']],
  ['ideographs outside the first plane', '𠮷野家', ['𠮷野', '野家']],
  [
    'Japanese, with its marks of length and repetition',
    'ラーメン々',
    ['ラー', 'ーメ', 'メン', 'ン々'],
  ],
  ['halfwidth katakana', 'ｶﾞｲﾄﾞ', ['ガイ', 'イド']],
  ['fullwidth letters', 'ＡＢＣ１', ['abc1']],
  ['Thai', 'ภาษาไทย', ['ภา', 'าษ', 'ษา', 'าไ', 'ไท', 'ทย']],
  ['Thai marks', 'ที่', ['ที', 'ี่']],
  ['Lao', 'ລາວ', ['ລາ', 'າວ']],
  ['Khmer', 'ខ្មែរ', ['ខ្', '្ម', 'មែ', 'ែរ']],
  ['Burmese', 'မြန်', ['မြ', 'ြန', 'န်']],
  ['scripts side by side', '東京tower2階', ['東京', 'tower2', '階']],
  ['a mark of no script after an ideograph', '東\u0301京', ['東\u0301', '\u0301京']],
  ['a modifier letter that Thai shares', 'oʼclock', ['oʼclock']],
  ['a mark that Thai shares', 'x\u0331y', ['x\u0331y']],
  ['ligatures and numbers in circles', 'ﬁn ②', ['fin', '2']],
])('standard finds the terms of %s', (_, text, terms) => {
  expect(standard(text)).toEqual(terms);
});

describe('standard', () => {
  test('gives the same for ASCII on its fast way as on the general one', () => {
    checkAll('standard on ASCII', asciiText, (text) => {
      expect(standard(text)).toEqual(generalTerms(text));
    });
  });

  test('gives what its slow twin gives for any text', () => {
    checkAll('standard on any text', anyText, (text) => {
      expect(standard(text)).toEqual(slowStandard(text));
    });
  });

  test('finds every part of two characters or more in text without spaces', () => {
    const letters = fc.array(fc.constantFrom(...'東京都のラーメン々ーが𠮷กาทีนๆລາວខ្មែរမြန'), {
      minLength: 2,
      maxLength: 30,
    });
    const parts = fc.tuple(letters, fc.nat(), fc.nat());
    checkAll('parts of unspaced text', parts, ([whole, from, size]) => {
      const characters = [...whole.join('').normalize('NFKC')];
      const first = from % (characters.length - 1);
      const part = characters.slice(first, first + 2 + (size % characters.length));
      const terms = new Set(standard(characters.join('')));
      expect(standard(part.join('')).filter((term) => !terms.has(term))).toEqual([]);
    });
  });

  test('takes text of millions of letters or marks without a space', () => {
    expect(standard('я'.repeat(5_000_000))).toHaveLength(1);
    expect(standard('京'.repeat(1_000_000))).toHaveLength(999_999);
    expect(standard(`a${'\u0301\u0323'.repeat(300_000)}`)).toHaveLength(1);
  });
});

// ------------------------------------------------------------------------------ the others

describe('english', () => {
  test('stems words of a to z, and no others', () => {
    expect(english('Running dogs’ ponies')).toEqual(['run', 'dog', 'poni']);
    expect(english('mp3s runningé 2nds')).toEqual(['mp3s', 'runningé', '2nds']);
    expect(english('東京 generalizations')).toEqual(['東京', 'gener']);
  });

  test('keeps the words that english-stop leaves out', () => {
    expect(english('to be or not to be')).toEqual(['to', 'be', 'or', 'not', 'to', 'be']);
    expect(englishStop('To be, or not to be: that is the question')).toEqual(['question']);
    expect(englishStop('THE café’s')).toEqual(['café', 's']);
    expect(ENGLISH_STOP_WORDS.size).toBe(33);
  });

  test('leaves a word alone that no term holds', () => {
    const long = 'running'.repeat(50);
    expect(english(long)).toEqual([long]);
  });

  test('gives what the stemmer gives for the terms of standard', () => {
    checkAll('english', fc.oneof(asciiText, anyText), (text) => {
      expect(english(text)).toEqual(slowEnglish(text));
    });
  });

  test('gives the same when it has forgotten stems in between', () => {
    const words = Array.from({ length: 70_000 }, (_, number) =>
      number.toString(26).replace(/\d/g, (digit) => 'qrstuvwxyz'.charAt(Number(digit))),
    );
    const text = words.join(' ');
    const stems = english(text);
    expect(stems).toHaveLength(words.length);
    expect(english(text)).toEqual(stems);
    expect(stems.every((stem, index) => stem === stemmer(words[index] as string))).toBe(true);
  });
});

describe('whitespace', () => {
  test('splits at white space of any kind and changes nothing', () => {
    expect(whitespace(' Ab,c\t\u00a0D-é\u3000ﬁ\u2028x\u0085y ')).toEqual([
      ...['Ab,c', 'D-é', 'ﬁ', 'x', 'y'],
    ]);
    expect(whitespace(' \n')).toEqual([]);
    expect(whitespace('a\ufeffb\u200bc\u001cd')).toEqual(['a\ufeffb\u200bc\u001cd']);
  });

  test('splits where the White_Space property says', () => {
    checkAll('whitespace', anyText, (text) => {
      expect(whitespace(text)).toEqual(
        text.split(/\p{White_Space}/u).filter((part) => part !== ''),
      );
    });
    for (let code = 0; code < 0x10000; code++) {
      const text = `a${String.fromCharCode(code)}b`;
      const isSplit = whitespace(text).length === 2;
      if (isSplit !== /\p{White_Space}/u.test(text)) expect.fail(`U+${code.toString(16)}`);
    }
  });
});

test('no other name is an analyzer', () => {
  for (const name of ['', 'Standard', 'german', 'constructor', '__proto__']) {
    expect(builtInAnalyzer(name)).toBeUndefined();
  }
});
