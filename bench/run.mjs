/**
 * The command: measures mneme and its peers in one run, prints one table, writes one JSON file.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Dataset } from './dataset.mjs';
import { describeMachine, packageVersions } from './machine.mjs';
import { HELP, readOptions } from './options.mjs';
import { judge, tableOf, writeResults } from './report.mjs';
import { selectRows } from './rows/list.mjs';
import { DEFAULT_STORES, loadStore } from './stores/list.mjs';
import { Workbench } from './workbench.mjs';

const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143 };

/**
 * A directory that is gone when the process is, however it ends.
 * @param {string} parentDirectory
 */
function temporaryDirectory(parentDirectory) {
  const directory = mkdtempSync(join(parentDirectory, 'mneme-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  for (const [signal, code] of Object.entries(SIGNAL_EXIT_CODES)) {
    process.on(signal, () => process.exit(code));
  }
  return directory;
}

/** @param {import('./options.mjs').Options} options */
async function chosenStores(options) {
  const stores = [];
  for (const name of options.only ?? DEFAULT_STORES) stores.push(await loadStore(name));
  return stores;
}

/**
 * @param {Record<string, string | number>} machine
 * @param {Record<string, string>} versions
 * @param {Dataset} dataset
 */
function printHeader(machine, versions, dataset) {
  const { node, v8, system, processor, parallelism, memoryGiB, fileSystem, loadBefore } = machine;
  console.log(`node ${node} (v8 ${v8}), ${system}`);
  console.log(
    `${processor}, ${parallelism} threads, ${memoryGiB} GiB, ${fileSystem}, load ${loadBefore}`,
  );
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  console.log(packages.join(', '));
  const count = dataset.records.toLocaleString('en-US');
  console.log(`${count} records of ${dataset.payloadSizeMean.toFixed(1)} bytes on average\n`);
}

/** @param {import('./options.mjs').Options} options */
async function run(options) {
  const startedAt = new Date();
  const rows = selectRows(options.rows);
  const stores = await chosenStores(options);
  const directory = temporaryDirectory(options.parentDirectory);
  const machine = describeMachine(directory);
  const versions = packageVersions(stores);
  const dataset = new Dataset(options.records);
  printHeader(machine, versions, dataset);
  const workbench = new Workbench(options, stores, dataset, directory);
  const results = [];
  for (const row of rows) {
    const start = performance.now();
    const result = judge(row, await row.measure(workbench), workbench.storesOf(row.id));
    results.push(result);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.error(`${row.title}: took ${seconds} s`);
  }
  await workbench.release();
  console.log(`\n${tableOf(results, stores)}`);
  const { records, rounds, cacheSizeBytes, quick } = options;
  const path = writeResults(options.name, {
    startedAt,
    endedAt: new Date(),
    machine,
    versions,
    options: { records, rounds, cacheSizeBytes, quick },
    payloadSizeMean: dataset.payloadSizeMean,
    rows: results,
  });
  console.log(`\nAll samples: ${path}`);
}

/** @param {import('./options.mjs').Options} options */
async function plot(options) {
  const { CURVES_CACHE_SIZE_BYTES, measureCurves, writePlot } = await import('./vector-plot.mjs');
  const directory = temporaryDirectory(options.parentDirectory);
  const { node, processor, parallelism } = describeMachine(directory);
  const cacheSizeBytes = Math.max(options.cacheSizeBytes, CURVES_CACHE_SIZE_BYTES);
  const stores = await chosenStores(options);
  const dataset = new Dataset(0);
  const workbench = new Workbench({ ...options, cacheSizeBytes }, stores, dataset, directory);
  const curves = await measureCurves(workbench);
  await workbench.release();
  console.table([...curves.overVectors, ...curves.overThreads]);
  const machine = `${processor}, ${parallelism} processors, node ${node}`;
  console.log(`Plot: ${await writePlot(curves, machine)}`);
}

const options = readOptions(process.argv.slice(2));
if (options === undefined) console.log(HELP);
else if (options.plot) await plot(options);
else await run(options);
