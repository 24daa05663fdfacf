/**
 * The commands `dump` and `load`. A file that is loaded has another name until it is whole, so
 * whatever ends the command leaves no half of one.
 */
import { closeSync, openSync, readSync, rmSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import type { Command } from 'commander';
import { temporaryPath } from '../api/create-file.js';
import { assertPlace, giveName } from '../api/output-file.js';
import { outOfRange } from '../shared/errors.js';
import { NodeStorage } from '../shared/pages/node-storage.js';
import { type DumpRecord, dumpRecords, Loader } from './dump.js';
import { tellOutput } from './guard.js';
import { openForWriting, reading } from './opening.js';
import { type CommonOptions, jsonLine, line } from './terminal.js';

const CHUNK_BYTES = 2 ** 16;
const RECORDS_PER_BATCH = 5000;
const STANDARD_INPUT = 0;

interface LoadOptions extends CommonOptions {
  readonly overwrite?: boolean;
}

export function addDumpCommands(program: Command): void {
  program
    .command('dump <file>')
    .description('prints everything, a typed record a line, as JSON')
    .addHelpText('after', '\nExample:\n  mneme dump app.mneme | gzip > app.ndjson.gz')
    .action((file: string, options: CommonOptions) => {
      reading(file, options, (database) => {
        for (const record of dumpRecords(database)) jsonLine(record);
      });
    });
  program
    .command('load <file> <input>')
    .description('makes a file of what dump has printed; - reads the standard input')
    .option('--overwrite', 'take the place of a file that is there')
    .addHelpText('after', '\nExample:\n  gunzip < app.ndjson.gz | mneme load copy.mneme -')
    .action(loadFile);
}

function loadFile(file: string, input: string, options: LoadOptions): void {
  const { overwrite = false } = options;
  assertPlace(file, overwrite);
  tellOutput(file);
  const temporary = temporaryPath(file);
  try {
    const records = loadInto(temporary, input, options);
    giveName(new NodeStorage(), temporary, file, overwrite);
    if (options.json === true) jsonLine({ records });
    else line(`${records} records`);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Returns how many records there were. */
function loadInto(path: string, input: string, options: LoadOptions): number {
  const database = openForWriting(path, { ...options, create: true, sync: 'none' });
  try {
    const loader = new Loader(database);
    let records = 0;
    for (const batch of batchesOf(linesOf(input))) {
      database.batch(() => {
        for (const text of batch) loader.load(parseLine(text, ++records));
      });
    }
    return records;
  } finally {
    database.close();
  }
}

function parseLine(text: string, number: number): DumpRecord {
  try {
    const record: unknown = JSON.parse(text);
    if (typeof record === 'object' && record !== null) return record as DumpRecord;
  } catch {
    // The number of the line says more than where JSON ends in it.
  }
  throw outOfRange('input', 'a JSON object a line', `line ${number}`);
}

function* batchesOf(lines: Iterable<string>): Generator<string[]> {
  let batch: string[] = [];
  for (const text of lines) {
    batch.push(text);
    if (batch.length < RECORDS_PER_BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Lines of a file, or of the standard input, without the empty ones. */
function* linesOf(input: string): Generator<string> {
  const descriptor = input === '-' ? STANDARD_INPUT : openSync(input, 'r');
  const [chunk, decoder] = [Buffer.alloc(CHUNK_BYTES), new StringDecoder('utf8')];
  let rest = '';
  try {
    for (;;) {
      const count = readSome(descriptor, chunk);
      const lines = (rest + decoder.write(chunk.subarray(0, count))).split('\n');
      rest = lines.pop() ?? '';
      yield* lines.filter((text) => text.trim() !== '');
      if (count === 0) break;
    }
    if (rest.trim() !== '') yield rest;
  } finally {
    if (descriptor !== STANDARD_INPUT) closeSync(descriptor);
  }
}

/** A terminal or a pipe that has nothing yet is asked again. */
function readSome(descriptor: number, chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(descriptor, chunk);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}
