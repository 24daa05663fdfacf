/**
 * Figures that only a process of its own can give.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Runs a program of this directory with node.
 * @param {string} program its file name
 * @param {object} request its one argument
 * @returns {Promise<number>} what it printed
 */
export async function figureInFreshProcess(program, request) {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const { stdout } = await run(process.execPath, ['--expose-gc', path, JSON.stringify(request)]);
  return Number(JSON.parse(stdout));
}
