/**
 * The C++ compiler of this machine, where there is one.
 */
import { spawnSync } from 'node:child_process';

const COMPILERS = ['g++', 'clang++'];

/** @returns {string | undefined} the command */
export function compiler() {
  return COMPILERS.find((command) => spawnSync(command, ['--version']).status === 0);
}
