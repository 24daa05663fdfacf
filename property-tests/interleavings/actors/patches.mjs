/**
 * Puts a point around everything by which threads and openings see each other, and replaces what a
 * seed could not repeat. To be imported before anything of the database.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { block, isScheduled, now, point, random, wake } from './schedule.mjs';

const require = createRequire(import.meta.url);
const real = { wait: Atomics.wait, notify: Atomics.notify, load: Atomics.load };
/** Longer than anything private, shorter than any database's memory. */
const PRIVATE_WORDS_MAX = 4096;
const SPLIT_EVERY = 2;

function around(action) {
  return (...parameters) => {
    point();
    const result = action(...parameters);
    point();
    return result;
  };
}

function patchAtomics() {
  const access2 = (action) => (words, index) => {
    point();
    const value = action(words, index);
    point();
    return value;
  };
  const access3 = (action) => (words, index, operand) => {
    point();
    const value = action(words, index, operand);
    point();
    return value;
  };
  Atomics.load = access2(Atomics.load);
  for (const name of ['store', 'add', 'sub', 'exchange', 'and', 'or', 'xor']) {
    Atomics[name] = access3(Atomics[name]);
  }
  const { compareExchange } = Atomics;
  Atomics.compareExchange = (words, index, expected, replacement) => {
    point();
    const value = compareExchange(words, index, expected, replacement);
    point();
    return value;
  };
  Atomics.wait = (words, index, value, timeoutMs = Number.POSITIVE_INFINITY) => {
    if (!isScheduled()) return real.wait(words, index, value, timeoutMs);
    point();
    if (real.load(words, index) !== value) return 'not-equal';
    return block(words.length < PRIVATE_WORDS_MAX, index, timeoutMs);
  };
  Atomics.notify = (words, index, count) => {
    if (!isScheduled()) return real.notify(words, index, count);
    point();
    return wake(index);
  };
}

/** Now and then only the first part is read, and the file is another one for the second. */
function readInParts(read) {
  return (descriptor, target, offset, length, position) => {
    if (!isScheduled()) return read(descriptor, target, offset, length, position);
    point();
    const isSplit = length > 1 && random(SPLIT_EVERY) === 0;
    const count = read(descriptor, target, offset, isSplit ? length >>> 1 : length, position);
    point();
    return count;
  };
}

function writeInParts(write) {
  return (descriptor, source, offset, length, position) => {
    if (!isScheduled()) return write(descriptor, source, offset, length, position);
    point();
    const first = length > 1 && random(SPLIT_EVERY) === 0 ? 1 + random(length - 1) : length;
    let count = write(descriptor, source, offset, first, position);
    point();
    if (first === length) return count;
    count += write(descriptor, source, offset + first, length - first, position + first);
    point();
    return count;
  };
}

function patchFiles() {
  const fs = require('node:fs');
  const { writevSync } = fs;
  fs.readSync = readInParts(fs.readSync);
  fs.writeSync = writeInParts(fs.writeSync);
  fs.writevSync = (descriptor, sources, position) => {
    if (!isScheduled()) return writevSync(descriptor, sources, position);
    let count = 0;
    for (const source of sources) {
      point();
      count += writevSync(descriptor, [source], position + count);
    }
    point();
    return count;
  };
  for (const name of ['openSync', 'closeSync', 'fstatSync', 'statSync', 'existsSync']) {
    fs[name] = around(fs[name]);
  }
  fs.fdatasyncSync = around(() => undefined); // no power is lost here
}

/** Looks into the page table and into nodes, all at once. */
function patchKernels() {
  const { Instance } = WebAssembly;
  WebAssembly.Instance = function PatchedInstance(module, imports) {
    const { exports } = new Instance(module, imports);
    const { descend, copyBytes } = exports;
    return {
      exports: { ...exports, descend: around(descend), copyBytes: around(copyBytes) },
    };
  };
}

function patchSurroundings() {
  performance.now = now;
  Date.now = () => 1.7e12 + Math.floor(now());
  require('node:os').availableParallelism = () => 1; // nobody spins: it would be the same
}

export function patchAll(withoutWebAssembly) {
  patchAtomics();
  patchFiles();
  patchSurroundings();
  syncBuiltinESMExports();
  if (withoutWebAssembly) globalThis.WebAssembly = undefined;
  else patchKernels();
}

/** Locks are a kind of shared memory too. */
export async function patchLocks(dist) {
  const { systemCalls } = await import(`${dist}shared/pages/system-calls.js`);
  const calls = systemCalls();
  if (calls !== undefined) calls.fcntl = around(calls.fcntl);
}
