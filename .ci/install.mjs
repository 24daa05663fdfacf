/**
 * Binaries of runtimes, from the npm packages that hold nothing else. They are kept in
 * node_modules, so each is fetched once.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PLACE = fileURLToPath(new URL('../node_modules/.cache/runtimes', import.meta.url));

/** Where a package's file is, once the package is installed. */
export function installed(name, version, file) {
  const folder = join(PLACE, `${name.replace('/', '-')}-${version}`);
  const path = join(folder, 'node_modules', name, file);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const words = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', [...words, `${name}@${version}`], { stdio: 'inherit' });
  if (status !== 0 || !existsSync(path)) throw new Error(`${name} ${version} cannot be installed`);
  return path;
}
