/**
 * What the command line may say, and what is assumed where it is silent.
 *
 * The defaults end in about ten minutes on two cores; `--quick` is for a look while developing, and
 * its figures are too small and too few to be quoted.
 */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';

/**
 * @typedef {object} Options
 * @property {number} records
 * @property {number} rounds measured rounds of a short row; long rows take a third of them
 * @property {string[] | undefined} rows ids, or first words of ids: `get` is `get` and `get-bytes`
 * @property {string[] | undefined} only names of stores
 * @property {string} parentDirectory where the temporary directory is made
 * @property {string} name of the results file
 * @property {number} cacheSizeBytes of every store that has a cache of its own
 * @property {boolean} quick
 * @property {boolean} plot
 */

const KEYS_PER_PREFIX = 1000;
const RECORDS_MIN = 10 * KEYS_PER_PREFIX;
const MEBIBYTE = 1024 * 1024;

export const HELP = `Usage: npm --prefix bench run bench -- [options]

  --records N      records in each store, multiples of 1000 (1000000; 100000 with --quick)
  --rounds N       measured rounds of a short row (9; 3 with --quick)
  --rows a,b       only these rows: full ids, or first words ("get" is get and get-bytes)
  --only a,b       only these stores: mneme, lmdb, lmdb-writemap, better-sqlite3,
                   classic-level, disk, redis, sqlite-vec, usearch, hnswlib, cpp, js,
                   fts5, minisearch, orama, map ("map" runs only when it is named here)
  --cache MIB      cache of every store that has one of its own (256)
  --dir PATH       where the temporary directory is made (the system's)
  --name NAME      name of the JSON file in bench/results (the moment of the run)
  --quick          100000 records, 3 rounds, smaller slices
  --plot           no rows: writes docs/vector-latency.svg, a search over vectors and threads
  --help           this text
`;

/** @param {string | undefined} text */
function wordsOf(text) {
  return text === undefined ? undefined : text.split(',').filter((word) => word !== '');
}

/**
 * @param {string} option
 * @param {string} text
 */
function wholeNumber(option, text) {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new RangeError(`--${option} wants a whole number above 0, not ${text}`);
}

/**
 * @param {string[]} commandLine
 * @returns {Options | undefined} undefined when help was asked for
 */
export function readOptions(commandLine) {
  const { values } = parseArgs({
    args: commandLine,
    options: {
      records: { type: 'string' },
      rounds: { type: 'string' },
      rows: { type: 'string' },
      only: { type: 'string' },
      cache: { type: 'string', default: '256' },
      dir: { type: 'string', default: tmpdir() },
      name: { type: 'string', default: new Date().toISOString().replace(/[:.]/g, '-') },
      quick: { type: 'boolean', default: false },
      plot: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const records = wholeNumber('records', values.records ?? (values.quick ? '100000' : '1000000'));
  if (records % KEYS_PER_PREFIX !== 0 || records < RECORDS_MIN) {
    throw new RangeError(`--records wants a multiple of 1000, at least ${RECORDS_MIN}`);
  }
  return {
    records,
    rounds: wholeNumber('rounds', values.rounds ?? (values.quick ? '3' : '9')),
    rows: wordsOf(values.rows),
    only: wordsOf(values.only),
    parentDirectory: values.dir,
    name: values.name,
    cacheSizeBytes: wholeNumber('cache', values.cache) * MEBIBYTE,
    quick: values.quick,
    plot: values.plot,
  };
}
