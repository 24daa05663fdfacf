/**
 * Runs the package under Bun and Deno, and prints a table of what works there:
 *
 *   npm run test:runtimes
 *
 * The tests themselves need vitest, and that needs Node. What runs are the steps of
 * runtime-steps.mjs, and the examples, which check what they find.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { installed } from './install.mjs';

const { platform, arch, execPath } = process;
const DENO = platform === 'linux' ? `@deno/linux-${arch}-glibc` : `@deno/${platform}-${arch}`;
const RUNTIMES = [
  { name: `Node ${process.versions.node}`, words: [execPath] },
  { name: 'Bun 1.4.5', words: [installed(`@oven/bun-${platform}-${arch}`, '1.4.5', 'bin/bun')] },
  { name: 'Deno 2.9.6', words: [installed(DENO, '2.9.6', 'deno'), 'run', '--allow-all'] },
];
const EXAMPLES = [
  ['quickstart.mjs'],
  ['leaderboard.mjs', '3000'],
  ['job-queue.mjs', '300'],
  ['rate-limiter.mjs', '2000'],
  ['agent-memory.mjs'],
  ['semantic-search.mjs'],
];
const HANG_MS = 60_000;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

function run(runtime, cwd, path, ...words) {
  const [command, ...before] = runtime.words;
  const options = { cwd, encoding: 'utf8', timeout: HANG_MS };
  return spawnSync(command, [...before, here(path), ...words], options);
}

/** Rows by their titles: '' is what went well, else the first line of what is wrong. */
function results(runtime) {
  const folder = mkdtempSync(join(tmpdir(), 'mneme-runtime-'));
  try {
    const steps = run(runtime, folder, './runtime-steps.mjs', ...runtime.words);
    const lines = steps.stdout.trimEnd().split('\n');
    const rows = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    const examples = EXAMPLES.map(([name, ...words]) => {
      const { status, stderr } = run(runtime, folder, `../examples/${name}`, ...words);
      return { title: `examples/${name}`, fault: status === 0 ? '' : `${status} ${stderr}` };
    });
    const end = { title: 'all of it to its end', fault: steps.status === 0 ? '' : steps.stderr };
    return new Map([...rows, ...examples, end].map(({ title, fault }) => [title, fault]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const columns = RUNTIMES.map(results);
const titles = new Set(columns.flatMap((column) => [...column.keys()]));
const line = (cells) => `| ${cells.join(' | ')} |\n`;
process.stdout.write(line(['', ...RUNTIMES.map(({ name }) => name)]));
process.stdout.write(`|---${'|---'.repeat(RUNTIMES.length)}|\n`);
for (const title of titles) {
  const faults = columns.map((column) => column.get(title) ?? 'does not get there');
  process.stdout.write(line([title, ...faults.map((fault) => fault.split('\n')[0] || 'works')]));
}
const isRight = columns.every((column) => [...column.values()].every((fault) => fault === ''));
process.exitCode = isRight ? 0 : 1;
