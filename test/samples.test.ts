/**
 * Every sample of the README and the guides runs as it is printed, and gives what it says there.
 *
 *   ```js       a program when it imports anything; else it goes on from the nearest
 *               `<!-- before … -->` above it, which says what readers are to imagine
 *   ```console  lines with a `$` are typed, what follows is printed
 *
 * A comment behind an expression, or behind console.log, is its value. `…` stands for anything;
 * `: ` behind the value begins an explanation. A comment that is no value is prose. Where a page
 * says "It prints `…`", the program above it prints just that.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const COMMAND = join(ROOT, 'dist/cli/main.js');
const CHECK = new URL('./sample-check.mjs', import.meta.url).href;
const GUIDES = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));

interface Sample {
  readonly place: string;
  readonly language: string;
  readonly code: string;
  readonly before: string;
  /** What the page says that it prints. */
  readonly prints: string | undefined;
}

const PARTS =
  /<!-- before\n([\s\S]*?)-->|^```(js|console)\n([\s\S]*?)^```(?:\s+It prints `([^`]*)`)?/gm;

function samplesOf(page: string): Sample[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  let before = '';
  return [...text.matchAll(PARTS)].flatMap(([, imagined, language = '', code = '', prints]) => {
    if (imagined !== undefined) before = imagined;
    const line = text.slice(0, text.indexOf(code)).split('\n').length;
    return imagined !== undefined
      ? []
      : [{ place: `${page}:${line}`, language, code, before, prints }];
  });
}

const LOG = /^(\s*)console\.log\((.*)\); \/\/ (.+)$/;
const EXPRESSION = /^(\s*)(?!(?:const|let|for|if|import|return|throw)\b)(\S.*); \/\/ (.+)$/;
const VALUE = /^(?:-?\d|['[{]|true\b|false\b|undefined\b|…)/;

/** A sample's line, with its comment made a check. */
function checked(line: string): string {
  const log = LOG.exec(line);
  if (log !== null) return `${log[1]}check.printed(${JSON.stringify(log[3])}, ${log[2]});`;
  const [, indent, expression, comment = ''] = EXPRESSION.exec(line) ?? [];
  if (!VALUE.test(comment)) return line;
  return `${indent}check.value(${expression}, ${JSON.stringify(comment)});`;
}

function program({ code, before }: Sample): string {
  const body = code.split('\n').map(checked).join('\n');
  const head = `import * as check from '${CHECK}';\n`;
  return /^import /m.test(code) ? head + body : `${head}${before}\n{\n${body}\n}`;
}

/** A folder where the package is installed, as far as a program can tell. */
function workingFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mneme-sample-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/mneme'), 'dir');
  return folder;
}

function run(cwd: string, ...words: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, words, { cwd, encoding: 'utf8' });
}

function runProgram(sample: Sample): void {
  const folder = workingFolder();
  writeFileSync(join(folder, 'sample.mjs'), program(sample));
  const { status, stdout, stderr } = run(folder, 'sample.mjs');
  if (status !== 0 || stderr !== '') throw new Error(stderr);
  if (sample.prints !== undefined) expect(stdout.trim()).toBe(sample.prints);
}

/** Commands by what they print. */
function runConsole({ code }: Sample): void {
  const folder = workingFolder();
  for (const part of code.split(/^\$ /m).slice(1)) {
    const [typed = '', ...lines] = part.trimEnd().split('\n');
    const [name, ...words] = typed.split(' ');
    expect(name, 'samples of the console know one command').toBe('mneme');
    const { stdout, stderr } = run(folder, COMMAND, ...words);
    expect(stderr + stdout.trimEnd(), typed).toBe(lines.join('\n'));
  }
}

const samples = ['README.md', ...GUIDES.map((name) => `docs/${name}`)].flatMap(samplesOf);

test.each(samples)('the sample at $place gives what it says', (sample) => {
  if (sample.language === 'js') runProgram(sample);
  else runConsole(sample);
});

test('a sample that gives something else fails', () => {
  const sample = {
    place: '',
    language: 'js',
    before: 'const a = [1, { b: 2 }];',
    prints: undefined,
  };
  runProgram({
    ...sample,
    code: "a; // [1, { b: 2 }]: as it is\na; // [1, …]\nconsole.log('b'); // b",
  });
  expect(() => runProgram({ ...sample, code: 'a; // [1, { b: 3 }]' })).toThrow('the value is');
  expect(() => runProgram({ ...sample, code: "console.log('b'); // c" })).toThrow('the value is');
});

test('every link of the README and the guides to a file leads to one', () => {
  const pages = ['README.md', ...GUIDES.map((name) => `docs/${name}`)];
  const broken = pages.flatMap((page) => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    const targets = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target = '']) => target);
    const local = targets.filter((target) => !target.includes('://'));
    return local
      .filter((target) => !existsSync(join(ROOT, page, '..', target)))
      .map((target) => `${page}: ${target}`);
  });
  expect(broken).toEqual([]);
});

test('the guide to errors has every code', () => {
  const codes = (path: string, pattern: RegExp) =>
    [...readFileSync(join(ROOT, path), 'utf8').matchAll(pattern)].map(([, code]) => code);
  const all = codes('src/shared/errors.ts', /^ {2}(ERR_MNEME_\w+):/gm);
  expect(codes('docs/errors.md', /^\| `(ERR_MNEME_\w+)`/gm)).toEqual(all);
});
