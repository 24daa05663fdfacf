/**
 * Terms as bytes: whatever way they come in, they are the terms of the analyzer, cut to 255 bytes.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutTerm } from '../../dist/shared/bytes/term-bytes.js';
import { builtInAnalyzer } from '../../dist/shared/keyspaces/analyzers.js';
import {
  streamAscii,
  streamBuiltIn,
  streamTerms,
  TermStream,
  termsOf,
} from '../../dist/shared/keyspaces/term-stream.js';
import { announce, SEED } from '../../property-tests/counts.js';

const RUNS = 2000;
const TERM_BYTES_MAX = 255;

const termsIn = (stream: TermStream): string[] => [...termsOf(stream.bytes, 0, stream.length)];

/** As many whole code points as fit, by trying them one after the other. */
function slowCut(term: string): string {
  let cut = '';
  for (const character of term.toWellFormed()) {
    if (Buffer.byteLength(cut + character) > TERM_BYTES_MAX) break;
    cut += character;
  }
  return cut;
}

function builtInTerms(name: string, text: string): string[] {
  return (builtInAnalyzer(name)?.(text) ?? []).map(slowCut);
}

const word = fc.oneof(
  fc.constantFrom('The', 'RUNNING', 'dogs', 'generalizations', 'not', 'x86', 'a', '7', 'it'),
  fc.string({ unit: fc.constantFrom(...'abcdefgingsy'), minLength: 1, maxLength: 20 }),
  fc.integer({ min: 250, max: 260 }).map((size) => 'sing'.repeat(65).slice(0, size)),
);
const separator = fc.constantFrom(' ', '-', "'", '\0', '\x7f', '/', ':', '@', '[', '`', '{');
const asciiText = fc
  .array(fc.oneof({ weight: 2, arbitrary: word }, separator), { maxLength: 40 })
  .map((parts) => parts.join(''));

test('a term is one byte of size and its UTF-8', () => {
  const stream = new TermStream();
  for (const term of ['ab', '', 'é京𠮷']) stream.addTerm(term);
  expect(stream.count).toBe(3);
  expect([...stream.bytes.subarray(0, stream.length)]).toEqual([
    ...[2, 0x61, 0x62, 0, 9, 0xc3, 0xa9, 0xe4, 0xba, 0xac, 0xf0, 0xa0, 0xae, 0xb7],
  ]);
  expect(termsIn(stream)).toEqual(['ab', '', 'é京𠮷']);
  expect([...termsOf(stream.bytes, 3, 4)]).toEqual(['']);
});

test('bytes that end within a term are not read', () => {
  expect(() => [...termsOf(Buffer.from([2, 0x61]), 0, 2)]).toThrow('terms end');
});

test('a reset stream is empty and used again', () => {
  const stream = new TermStream();
  streamBuiltIn(stream, 'whitespace', 'x '.repeat(4_000_000));
  expect(stream.count).toBe(4_000_000);
  stream.reset();
  expect([stream.length, stream.count]).toEqual([0, 0]);
  expect(stream.bytes.length).toBeLessThan(2 ** 16);
  stream.addTerm('again');
  expect(termsIn(stream)).toEqual(['again']);
});

describe('a long term is cut at a code point', () => {
  test.each([
    ['exactly fitting', 'a'.repeat(255)],
    ['ASCII', 'a'.repeat(256)],
    ['very long', 'a'.repeat(10_000_000)],
    ['of two bytes', 'é'.repeat(128)],
    ['of three bytes', `a${'京'.repeat(85)}`],
    ['of four bytes', `ab${'𠮷'.repeat(200)}`],
    ['a pair at the end of what is looked at', `${'a'.repeat(255)}𠮷`],
    ['a pair before it', `${'a'.repeat(254)}𠮷`],
    ['with lone surrogates', `${'a'.repeat(250)}\ud800\udfff\udc00\ud800`],
  ])('%s', (_, term) => {
    const stream = new TermStream();
    stream.addTerm(term);
    expect(termsIn(stream)).toEqual([slowCut(term)]);
    expect(cutTerm(term)).toBe(slowCut(term));
  });

  test('of any characters', () => {
    const terms = fc.array(fc.constantFrom('a', 'é', '京', '𠮷', 'b'), {
      minLength: 60,
      maxLength: 280,
      size: 'max',
    });
    announce('cut terms', RUNS);
    fc.assert(
      fc.property(terms, (characters) => {
        const term = characters.join('');
        const stream = new TermStream();
        stream.addTerm(term);
        stream.addTerm('next');
        expect(termsIn(stream)).toEqual([slowCut(term), 'next']);
        expect(cutTerm(term)).toBe(slowCut(term));
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });
});

describe.each(['standard', 'english', 'english-stop'])('%s', (name) => {
  test('makes the same terms of ASCII bytes as of the text', () => {
    const stream = new TermStream();
    announce(`${name} on ASCII bytes`, RUNS);
    fc.assert(
      fc.property(asciiText, asciiText, asciiText, (before, text, after) => {
        const source = Buffer.from(before + text + after);
        const start = before.length;
        const end = start + text.length;
        stream.reset();
        stream.addTerm('first');
        expect(streamAscii(stream, name, { source, start, end })).toBe(true);
        const terms = ['first', ...builtInTerms(name, text)];
        expect(termsIn(stream)).toEqual(terms);
        expect(stream.count).toBe(terms.length);
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  test('grows for a long text', () => {
    const text = 'The a b dogs X9 '.repeat(20_000);
    const [bytes, strings] = [new TermStream(), new TermStream()];
    const source = new Uint8Array(Buffer.from(text));
    streamAscii(bytes, name, { source, start: 0, end: source.length });
    streamBuiltIn(strings, name, text);
    expect(bytes.count).toBe(builtInTerms(name, text).length);
    expect(strings.count).toBe(bytes.count);
    expect(
      Buffer.compare(
        bytes.bytes.subarray(0, bytes.length),
        strings.bytes.subarray(0, strings.length),
      ),
    ).toBe(0);
  });
});

test('stems of bytes are right when more words than slots come round twice', () => {
  const words = Array.from({ length: 60_000 }, (_, number) => `${number}`).map(
    (digits) => `${digits.replace(/\d/g, (digit) => 'bcdfglmnst'.charAt(Number(digit)))}ing`,
  );
  const text = words.join(' ');
  const source = Buffer.from(`${text} ${text}`);
  const stream = new TermStream();
  streamAscii(stream, 'english', { source, start: 0, end: source.length });
  const terms = builtInTerms('english', text);
  expect(termsIn(stream)).toEqual([...terms, ...terms]);
});

test.each([
  'standard',
  'english',
  'english-stop',
  'whitespace',
])('%s streams any text as it analyses it', (name) => {
  const text = 'Ünïcode 東京タワー the ภาษาไทย\u3000x-y dogs';
  const stream = new TermStream();
  expect(streamBuiltIn(stream, name, text)).toBe(true);
  expect(termsIn(stream)).toEqual(builtInTerms(name, text));
});

test('what is not built in, or has no way for bytes, is left to the caller', () => {
  const stream = new TermStream();
  const range = { source: Buffer.from('a b'), start: 0, end: 3 };
  expect(streamBuiltIn(stream, 'mine', 'a b')).toBe(false);
  expect(streamAscii(stream, 'mine', range)).toBe(false);
  expect(streamAscii(stream, 'whitespace', range)).toBe(false);
  expect(stream.count).toBe(0);
});

describe('a function', () => {
  test('gives its terms from any iterable', () => {
    const stream = new TermStream();
    streamTerms(stream, (text) => text.split('|'), 'a||B c');
    streamTerms(stream, (text) => new Set(text), 'aab');
    expect(termsIn(stream)).toEqual(['a', '', 'B c', 'a', 'b']);
    expect(stream.count).toBe(5);
  });

  test.each<[string, () => Iterable<unknown>]>([
    ['a number', () => ['fine', 7]],
    ['null', () => ['fine', null]],
    ['bytes', () => ['fine', new Uint8Array(1)]],
    ['nothing to iterate', () => undefined as unknown as Iterable<unknown>],
    ['a promise', () => Promise.resolve(['fine']) as unknown as Iterable<unknown>],
  ])('that gives %s is a TypeError and adds nothing', (_, analyze) => {
    const stream = new TermStream();
    stream.addTerm('before');
    expect(() => streamTerms(stream, analyze as () => Iterable<string>, 'text')).toThrow(TypeError);
    expect(termsIn(stream)).toEqual(['before']);
    expect(stream.count).toBe(1);
  });

  test('that throws is heard, and adds nothing', () => {
    const stream = new TermStream();
    const failing = function* () {
      yield 'fine';
      throw new RangeError('mine');
    };
    expect(() => streamTerms(stream, failing, 'text')).toThrow(new RangeError('mine'));
    expect([stream.length, stream.count]).toEqual([0, 0]);
  });
});
