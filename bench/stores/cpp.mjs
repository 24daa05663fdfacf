/**
 * cpp.cpp, compiled for this very processor: what it takes to look at all float32 vectors in
 * memory with one thread, and how fast plain reading is. A yardstick, not a peer; it takes part
 * where there is a compiler. It runs in a process of its own and times itself.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { QUERY_COUNT } from '../vector-sets.mjs';
import { compiler } from './compiler.mjs';
import { refusals } from './refusals.mjs';
import { NEAREST_COUNT } from './vectors.mjs';

const SOURCE = fileURLToPath(new URL('cpp.cpp', import.meta.url));
const FLAGS = ['-std=c++17', '-O3', '-march=native'];

/** @type {import('./store.mjs').Store} */
export const cppStore = {
  name: 'cpp',
  family: 'cpp',
  isYardstick: true,
  rows: ['vector'],
  open: () => ({ ...refusals('cpp'), close: () => undefined }),
  openVectors,
};

/** @param {string} directory */
async function compiled(directory) {
  const command = compiler();
  if (command === undefined) throw new Error('there is no C++ compiler');
  const program = join(directory, 'scan');
  await promisify(execFile)(command, [...FLAGS, '-o', program, SOURCE]);
  return program;
}

/**
 * @param {import('./vectors.mjs').VectorOptions} options
 * @returns {Promise<import('./vectors.mjs').Vectors>}
 */
async function openVectors({ directory, set }) {
  const program = await compiled(directory);
  const [vectors, queries] = ['vectors', 'queries'].map((name) => join(directory, name));
  writeFileSync(vectors, set.unitVectors);
  writeFileSync(queries, set.unitQueries);
  const sizes = [set.count, set.dimension].map(String);
  const child = spawn(program, [vectors, ...sizes, queries, String(QUERY_COUNT)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit');
  /** @param {...(string | number)} words */
  const ask = async (...words) => {
    const failed = ended.then(([code]) => Promise.reject(new Error(`cpp ended with ${code}`)));
    child.stdin.write(`${words.join(' ')}\n`);
    const [line] = await Promise.race([once(lines, 'line'), failed]);
    return JSON.parse(line);
  };
  return {
    async fill() {
      // Its first answer comes when it has read the files, so they are not needed any more.
      await ask('search', 0, 1, NEAREST_COUNT);
      rmSync(vectors);
      rmSync(queries);
    },
    search: (first, last) => ask('search', first, last, NEAREST_COUNT),
    read: async (bytes, times) => (await ask('read', bytes, times)).milliseconds,
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
