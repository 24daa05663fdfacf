/**
 * The cache of stems answers like the function behind it, however words share its slots.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StemCache } from '../../dist/shared/bytes/stem-cache.js';
import { announce, SEED } from '../../property-tests/counts.js';

const RUNS = 1000;

/** Shorter, other letters, and nothing for some words. */
function stemOf(word: string): string {
  return word.startsWith('cc') ? '' : `z${word.slice(1, Math.ceil(word.length / 2))}`;
}

/** What `replaceWord` leaves of a word in the middle of other bytes. */
function replaced(cache: StemCache, word: string, hash: number): string {
  const bytes = Buffer.from(`--${word}--`);
  const size = cache.replaceWord(bytes, { start: 2, size: word.length, hash });
  expect(bytes.toString().replaceAll(/[^-]/g, '')).toBe('----');
  return bytes.toString('latin1', 2, 2 + size);
}

test('a word that is the beginning of another in its slot has its own stem', () => {
  const cache = new StemCache(stemOf);
  for (const word of ['abcdef', 'abc', 'abcdef', 'abcdefg']) {
    expect(replaced(cache, word, 7)).toBe(stemOf(word));
    expect(replaced(cache, word, 7)).toBe(stemOf(word));
  }
});

test('words of any size that share few slots have their own stems', () => {
  // Few letters and few hashes, so that slots are shared; among them the last slot of all.
  const word = fc.string({
    unit: fc.constantFrom('a', 'b', 'c'),
    minLength: 1,
    maxLength: 60,
    size: 'max',
  });
  const place = fc.tuple(
    fc.oneof(word, fc.constantFrom('a', 'ab', 'abc')),
    fc.constantFrom(0, 1, 2, 32767),
  );
  announce('stem cache', RUNS);
  fc.assert(
    fc.property(fc.array(place, { maxLength: 60, size: 'max' }), (places) => {
      const cache = new StemCache(stemOf);
      for (const [text, hash] of [...places, ...places]) {
        expect(replaced(cache, text, hash)).toBe(stemOf(text));
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
});
