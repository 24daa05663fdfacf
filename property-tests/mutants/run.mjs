/**
 * Applies the mutants one at a time to a copy of the built package, and runs the suites that are to
 * catch it until one fails. Prints a table; ends with 1 when a mutant survives.
 *
 *   npm run mutants            all of them
 *   npm run mutants -- turn    those whose rule or file has the word
 */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { MUTANTS } from './mutants.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COPIED = ['dist', 'test', 'property-tests', '.ci', 'package.json', 'vitest.config.ts'];
const SUITE_MS_MAX = 300_000;
const AT_ONCE = Math.min(2, availableParallelism());

const { compilerOptions } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile).config;
const { options } = ts.convertCompilerOptionsFromJson(compilerOptions, ROOT);

/** As the build does it, to the letter. */
function compiled(file, source) {
  const { outputText, diagnostics } = ts.transpileModule(source, {
    fileName: basename(file),
    compilerOptions: {
      ...options,
      module: ts.ModuleKind.ESNext, // one file by itself does not know of its package
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      rootDir: undefined,
    },
    reportDiagnostics: true,
  });
  if (diagnostics?.length !== 0) throw new Error(`it does not compile: ${diagnostics}`);
  return outputText;
}

/** The compiled file with the rule weakened. @param {import('./mutants.mjs').Mutant} mutant */
function mutatedFile({ file, find, replace, rule }) {
  const source = readFileSync(join(ROOT, 'src', file), 'utf8');
  const built = readFileSync(join(ROOT, 'dist', file.replace(/\.ts$/, '.js')), 'utf8');
  // Else it would be the way of compiling that a suite catches.
  if (compiled(file, source) !== built)
    throw new Error(`"${rule}": ${file} is not as it was built`);
  const parts = source.split(find);
  if (parts.length !== 2) throw new Error(`"${rule}": its text occurs ${parts.length - 1} times`);
  return compiled(file, parts.join(replace));
}

function makeCopy() {
  const directory = mkdtempSync(join(tmpdir(), 'mneme-mutant-'));
  chmodSync(directory, 0o755); // some tests read it as another user
  for (const name of COPIED) cpSync(join(ROOT, name), join(directory, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}

/** A copy of the package in which the rule is weakened. */
function makeMutant(mutant) {
  const directory = makeCopy();
  writeFileSync(join(directory, 'dist', mutant.file.replace(/\.ts$/, '.js')), mutatedFile(mutant));
  return directory;
}

/** @returns {Promise<{ outcome: 'passes' | 'fails' | 'hangs', output: string }>} */
function runSuite(directory, suite) {
  const vitest = join(directory, 'node_modules/vitest/vitest.mjs');
  const limits = { cwd: directory, timeout: SUITE_MS_MAX, maxBuffer: 2 ** 28 };
  return new Promise((resolve) => {
    const parameters = [vitest, 'run', '--bail', '1', suite];
    execFile(process.execPath, parameters, limits, (error, stdout, stderr) => {
      const output = `${stdout}\n${stderr}`;
      if (error === null) resolve({ outcome: 'passes', output });
      else resolve({ outcome: error.killed ? 'hangs' : 'fails', output });
    });
  });
}

/** What fails without a mutant catches none. */
async function checkUnchanged(suites) {
  const directory = makeCopy();
  const waiting = [...suites];
  const checkNext = async () => {
    for (let suite = waiting.shift(); suite !== undefined; suite = waiting.shift()) {
      const { outcome, output } = await runSuite(directory, suite);
      if (outcome === 'passes') continue;
      throw new Error(`${suite} ${outcome} on the unchanged package:\n${output}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, checkNext));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function judge(mutant) {
  const started = performance.now();
  const directory = makeMutant(mutant);
  let caughtBy = '';
  try {
    for (const suite of mutant.suites) {
      const { outcome } = await runSuite(directory, suite);
      if (outcome === 'passes') continue;
      caughtBy = outcome === 'hangs' ? `${suite} (hangs)` : suite;
      break;
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return { ...mutant, caughtBy, seconds: (performance.now() - started) / 1000 };
}

const [word = ''] = process.argv.slice(2);
const waiting = MUTANTS.filter(({ rule, file }) => `${rule} ${file}`.includes(word));
const total = waiting.length;
let survived = 0;

async function work() {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const { rule, file, caughtBy, seconds } = await judge(mutant);
    if (caughtBy === '') survived += 1;
    const verdict = caughtBy === '' ? 'SURVIVED' : `caught by ${caughtBy}`;
    console.log(`| ${rule} | ${dirname(file)} | ${verdict} | ${seconds.toFixed(0)} s |`);
  }
}

await checkUnchanged(new Set(waiting.flatMap(({ suites }) => suites)));
console.log('| rule that was weakened | in | result | took |\n|---|---|---|---:|');
await Promise.all(Array.from({ length: AT_ONCE }, work));
console.log(`${total - survived} of ${total} mutants caught`);
process.exitCode = survived === 0 ? 0 : 1;
