/**
 * Keys for encrypted databases: made, kept in files, and named by their fingerprints.
 */
export {
  fingerprint,
  generateKeyPair,
  type KeyPair,
  publicKeyFromSeed,
  readKeyFile,
  writeKeyFile,
} from './api/key-files.js';
