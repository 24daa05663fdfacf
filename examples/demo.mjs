/**
 * MNEME by example: all of WordNet in one file, and a process killed while it writes.
 *
 * Every claim that the demo makes, it checks; it exits with 1 when one does not hold.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { open } from 'mneme';
import { commitUntilKilled, crashAndRecover } from './demo/crash.mjs';
import { findByWords, indexGlosses } from './demo/full-text.mjs';
import { load, readBack } from './demo/load.mjs';
import { findNearest, storeVectors } from './demo/nearest.mjs';
import { conclude, formatMs, timed } from './demo/report.mjs';
import * as use from './demo/use.mjs';
import { readWordNet } from './demo/wordnet.mjs';

const USAGE = `Usage: npm run demo [-- options]

  --file PATH   put the database there and keep it; default: a temporary folder, removed at the end
  --word WORD   look this word up; default: memory
  --help        print this`;

/** The file to work on, and what to do with it at the end. */
function prepareFile(wanted) {
  if (wanted !== undefined) {
    if (existsSync(wanted)) {
      console.error(`${wanted} exists; the demo needs a name for a new file`);
      process.exit(1);
    }
    return { file: resolve(wanted), isKept: true };
  }
  const folder = mkdtempSync(join(tmpdir(), 'mneme-demo-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  process.once('SIGINT', () => process.exit(130));
  return { file: join(folder, 'wordnet.mneme'), isKept: false };
}

async function run(options) {
  const { file, isKept } = prepareFile(options.file);
  const { result: wordnet, durationMs } = timed(readWordNet);
  console.log(
    `MNEME, shown with ${wordnet.edition.name} (read and parsed in ${formatMs(durationMs)})`,
  );
  let db = open(file);
  load(db, wordnet, file);
  readBack(db, wordnet);
  use.lookUp(db, options.word);
  use.countByPrefix(db, wordnet);
  use.walkRange(db, wordnet);
  use.rankByMeanings(db, wordnet, options.word);
  const vectors = storeVectors(db, wordnet);
  findNearest(db, wordnet, vectors);
  findByWords(db, indexGlosses(db, wordnet), vectors, wordnet);
  use.countVisits(db);
  await use.expire(db);
  db.close();
  db = crashAndRecover(fileURLToPath(import.meta.url), file);
  use.verify(db);
  db.close();
  if (isKept) console.log(`\nThe database stays at ${file}`);
  return conclude();
}

const { values: options } = parseArgs({
  options: {
    file: { type: 'string' },
    word: { type: 'string', default: 'memory' },
    help: { type: 'boolean', default: false },
    'crash-child': { type: 'string' },
  },
});
if (options.help) console.log(USAGE);
else if (options['crash-child'] !== undefined) commitUntilKilled(options['crash-child']);
else if (!(await run(options))) process.exitCode = 1;
