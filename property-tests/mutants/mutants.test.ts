/** The list of mutants against the source: each still names a rule that stands there. */
import { readdirSync, readFileSync } from 'node:fs';
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

test('every suite that is to catch a mutant exists', () => {
  const root = new URL('../../', import.meta.url);
  const files = ['test', 'property-tests'].flatMap((folder) => {
    const names = readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' });
    return names.filter((name) => name.endsWith('.test.ts')).map((name) => `${folder}/${name}`);
  });
  const suites = new Set(MUTANTS.flatMap((mutant) => mutant.suites));
  const missing = [...suites].filter((suite) => !files.some((file) => file.startsWith(suite)));
  expect(missing).toEqual([]);
});

test('every mutant has a rule of its own, and changes something', () => {
  expect(new Set(MUTANTS.map(({ rule }) => rule)).size).toBe(MUTANTS.length);
  for (const { find, replace } of MUTANTS) expect(replace).not.toBe(find);
});
