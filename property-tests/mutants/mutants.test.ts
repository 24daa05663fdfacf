/** The list of mutants against the source: each still names a rule that stands there. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MUTANTS } from './mutants.mjs';

function countOf({ file, find }: { readonly file: string; readonly find: string }): number {
  const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8');
  return source.split(find).length - 1;
}

test('every mutant weakens one place of the source', () => {
  const others = MUTANTS.filter((mutant) => countOf(mutant) !== 1).map(({ rule }) => rule);
  expect(others).toEqual([]);
});

test('every mutant has a rule of its own, and changes something', () => {
  expect(new Set(MUTANTS.map(({ rule }) => rule)).size).toBe(MUTANTS.length);
  for (const { find, replace } of MUTANTS) expect(replace).not.toBe(find);
});
