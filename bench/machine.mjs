/**
 * Where the figures were measured: without it they mean nothing.
 */
import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';

const GIBIBYTE = 1024 ** 3;

// Magic numbers of statfs(2).
/** @type {Record<number, string>} */
const FILE_SYSTEMS = {
  61267: 'ext2/3/4',
  16914836: 'tmpfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlayfs',
  801189825: 'zfs',
  4076150800: 'f2fs',
  26985: 'nfs',
  1702057286: 'fuse',
};

/** @param {string} directory */
export function describeMachine(directory) {
  const fileSystem = statfsSync(directory).type;
  return {
    node: process.version,
    v8: process.versions.v8,
    system: `${type()} ${release()}`,
    processor: cpus()[0]?.model ?? 'unknown',
    parallelism: availableParallelism(),
    memoryGiB: Math.round(totalmem() / GIBIBYTE),
    // Work that waits for a processor, over the minute before the run: above 0, figures are noisy.
    loadBefore: Number(loadavg()[0].toFixed(2)),
    fileSystem: FILE_SYSTEMS[fileSystem] ?? `0x${fileSystem.toString(16)}`,
  };
}

/**
 * @param {import('./stores/store.mjs').Store[]} stores
 * @returns {Record<string, string>}
 */
export function packageVersions(stores) {
  const names = stores.flatMap(({ packageName }) => packageName ?? []);
  return Object.fromEntries(
    names.map((name) => {
      const path = join(import.meta.dirname, 'node_modules', name, 'package.json');
      return [name, JSON.parse(readFileSync(path, 'utf8')).version];
    }),
  );
}
