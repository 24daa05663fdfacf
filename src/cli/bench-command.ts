/**
 * The command that measures.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { temporaryPath } from '../api/create-file.js';
import { open } from '../api/database.js';
import { outOfRange } from '../shared/errors.js';
import { type BenchRow, bench } from './bench.js';
import { tellOutput } from './guard.js';
import { type CommonOptions, jsonLine, line, withProgress } from './terminal.js';

interface BenchCommandOptions extends CommonOptions {
  readonly dir?: string;
  readonly seconds: string;
  readonly seed: string;
}

export function addBenchCommand(program: Command): void {
  program
    .command('bench')
    .description('measures operations on made-up data, in a temporary file')
    .option('--dir <folder>', "where the file is made, instead of the system's temporary folder")
    .option('--seconds <count>', 'for each operation', '1')
    .option('--seed <number>', 'the same data for the same seed', '1')
    .addHelpText('after', '\nExample:\n  mneme bench --dir . --seconds 0.5')
    .action(run);
}

function run(options: BenchCommandOptions): void {
  const seconds = numberOf('seconds', options.seconds);
  const seed = numberOf('seed', options.seed);
  if (seconds <= 0) throw outOfRange('seconds', 'above 0', options.seconds);
  const name = join(options.dir ?? tmpdir(), 'mneme-bench');
  tellOutput(name);
  const folder = temporaryPath(name);
  mkdirSync(folder);
  try {
    const durable = open(join(folder, 'durable.mneme'));
    const unsynced = open(join(folder, 'unsynced.mneme'), { sync: 'none' });
    const rows = withProgress((tell) => {
      const told = (phase: string, done: number, total: number) => tell({ phase, done, total });
      return bench(durable, unsynced, { seconds, seed, tell: told });
    });
    durable.close();
    unsynced.close();
    show(rows, options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isFinite(number)) throw outOfRange(name, 'a number', text);
  return number;
}

const NUMBER = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const HEADINGS = ['operation', 'a second', 'p50 µs', 'p99 µs'];

function show(rows: readonly BenchRow[], { json }: CommonOptions): void {
  if (json === true) {
    for (const row of rows) jsonLine(row);
    return;
  }
  const cells = rows.map(({ operation, perSecond, p50, p99 }) => {
    return [operation, ...[perSecond, p50, p99].map((number) => NUMBER.format(number))];
  });
  const table = [HEADINGS, ...cells];
  const widths = HEADINGS.map((_, column) =>
    Math.max(...table.map((row) => cell(row, column).length)),
  );
  for (const row of table) {
    const [first, ...others] = row.map((_, column) => {
      const width = widths[column] as number;
      return column === 0 ? cell(row, column).padEnd(width) : cell(row, column).padStart(width);
    });
    line([first, ...others].join('  '));
  }
}

function cell(row: readonly string[], column: number): string {
  return row[column] as string;
}
