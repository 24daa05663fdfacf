/**
 * Deliberate weakenings of our own rules. Each must be caught by a suite: run.mjs applies them one
 * at a time and looks.
 *
 * @typedef {object} Mutant
 * @property {string} rule what is weakened, as the rule says it
 * @property {string} file below src/
 * @property {string} find occurs exactly once in it
 * @property {string} replace
 * @property {readonly string[]} suites that are to catch it, one after the other until one does
 */

import { CIPHER_MUTANTS } from './ciphers.mjs';
import { COMMIT_MUTANTS } from './commit.mjs';
import { ENCRYPTION_MUTANTS } from './encryption.mjs';
import { PAGE_MUTANTS } from './pages.mjs';
import { SHARING_MUTANTS } from './sharing.mjs';
import { TEXT_MUTANTS } from './texts.mjs';

/** @type {readonly Mutant[]} */
export const MUTANTS = [
  ...COMMIT_MUTANTS,
  ...PAGE_MUTANTS,
  ...SHARING_MUTANTS,
  ...TEXT_MUTANTS,
  ...CIPHER_MUTANTS,
  ...ENCRYPTION_MUTANTS,
];
