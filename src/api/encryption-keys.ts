/**
 * Who can open the encrypted keyspaces of a database, and with which data keys they are sealed.
 */
import type { KeyObject } from 'node:crypto';
import { MnemeError } from '../shared/errors.js';
import { catalogKey, keyspaceNames, readKeyspace, treesOf } from '../shared/keyspaces/catalog.js';
import { openRing, shareKeys, storedRing } from '../shared/keyspaces/key-ring.js';
import * as messages from '../shared/memory/messages.js';
import type { Core } from './core.js';
import { fingerprint } from './key-files.js';
import { fingerprintBytes, publicKeyBytes } from './public-keys.js';
import type { Progress } from './verify.js';

const KEY_BYTES = 32;

/** Who can open the encrypted keyspaces. */
export interface EncryptionKeyInfo {
  /** SHA-256 of the public key. */
  fingerprint: Uint8Array;
  /** The fingerprint as 64 hexadecimal digits. */
  hex: string;
  /** True for the key that the database was opened with. */
  current: boolean;
}

/** Of `rotateDataKey`. */
export interface RotateOptions {
  /** Seal all pages anew. Default false. */
  now?: boolean;
  /** Counts pages. */
  onProgress?: (progress: Progress) => void;
}

/** Unwraps the data keys with the key that the database was opened with, if both are there. */
export function unlock(core: Core): void {
  const { source } = core;
  if (source.keys.publicKey === undefined) return;
  core.reading(() => {
    const ring = openRing(source, core.state().catalog);
    if (ring !== undefined) shareKeys(ring, source.keys);
  });
}

/** Sends an operation on keys, alone or in the batch that runs; returns where its answer lies. */
function send(core: Core, code: number, key: Uint8Array, value: Uint8Array): number {
  const { writer, transactions, memory } = core;
  if (transactions.isActive) writer.continueBatch(core.now());
  else writer.begin(true, core.now());
  const at = writer.reserve(key.length + value.length);
  memory.u8.set(key, at);
  memory.u8.set(value, at + key.length);
  writer.add({ code, flags: 0, handle: 0, number: 0 }, key.length, value.length);
  if (transactions.isActive) transactions.changeCount++;
  return writer.send();
}

const NOTHING = new Uint8Array(0);

/** @throws {MnemeError} `ERR_MNEME_KEY_REQUIRED` when the database was opened without a key. */
export function assertHasKey(core: Core, keyspace: string): void {
  if (core.source.keys.publicKey !== undefined) return;
  throw new MnemeError('ERR_MNEME_KEY_REQUIRED', { keyspace });
}

function assertMayChange(core: Core): void {
  core.assertWritable();
  if (core.source.keys.publicKey === undefined) throw new MnemeError('ERR_MNEME_KEY_REQUIRED');
}

/** Returns the key's fingerprint. */
export function addKey(core: Core, publicKey: Uint8Array | string | KeyObject): Uint8Array {
  core.assertOpen();
  const bytes = publicKeyBytes(publicKey);
  assertMayChange(core);
  send(core, messages.ADD_KEY, NOTHING, bytes);
  return fingerprint(bytes);
}

export function removeKey(core: Core, name: Uint8Array | string): void {
  core.assertOpen();
  const bytes = fingerprintBytes(name);
  assertMayChange(core);
  send(core, messages.REMOVE_KEY, NOTHING, bytes);
}

export function listKeys(core: Core): EncryptionKeyInfo[] {
  core.assertOpen();
  const own = core.source.keys.publicKey;
  return publicKeys(core).map((publicKey) => {
    const bytes = fingerprint(publicKey);
    const current = own !== undefined && Buffer.compare(publicKey, own) === 0;
    return { fingerprint: bytes, hex: Buffer.from(bytes).toString('hex'), current };
  });
}

/** By rising fingerprints. */
function publicKeys(core: Core): Uint8Array[] {
  if (!core.transactions.isActive) {
    const ring = core.reading(() => storedRing(core.source, core.state().catalog));
    return (ring?.slots ?? []).map(({ publicKey }) => publicKey);
  }
  const at = send(core, messages.KEY_SLOTS, NOTHING, NOTHING);
  return Array.from({ length: core.writer.answerLength / KEY_BYTES }, (_, index) => {
    return core.memory.u8.slice(at + index * KEY_BYTES, at + (index + 1) * KEY_BYTES);
  });
}

export function rotateDataKey(core: Core, { now = false, onProgress }: RotateOptions): void {
  core.assertNoBatch();
  assertMayChange(core);
  send(core, messages.ROTATE_KEY, NOTHING, NOTHING);
  if (now) sealAnew(core, onProgress ?? (() => undefined));
}

/** All pages, those of dropped keyspaces by freeing them; then nothing needs an older key. */
function sealAnew(core: Core, onProgress: (progress: Progress) => void): void {
  const sizes = pagesOfKeyspaces(core);
  const total = sizes.reduce((sum, { pages }) => sum + pages, 0);
  let done = 0;
  onProgress({ done, total, phase: 'rotate' });
  for (const { name, pages } of sizes) {
    for (let place: Uint8Array | undefined = NOTHING; place !== undefined; ) {
      place = sealSome(core, name, place);
      core.assertOpen();
      onProgress({ done, total, phase: 'rotate' });
    }
    done += pages;
  }
  while (core.memory.f64[send(core, messages.FREE_DROPPED, NOTHING, NOTHING) >>> 3] === 1);
  send(core, messages.FORGET_KEYS, NOTHING, NOTHING);
  onProgress({ done: total, total, phase: 'rotate' });
}

/** Returns where to go on, undefined when the keyspace is done. */
function sealSome(core: Core, name: string, from: Uint8Array): Uint8Array | undefined {
  core.assertOpen();
  const at = send(core, messages.RESEAL, Buffer.from(name), from);
  const { answerLength } = core.writer;
  return answerLength === 0 ? undefined : core.memory.u8.slice(at, at + answerLength);
}

/** Encrypted keyspaces and the pages that each takes. */
function pagesOfKeyspaces(core: Core): { name: string; pages: number }[] {
  return core.reading(() => {
    const { catalog } = core.state();
    return keyspaceNames(core.source, catalog).flatMap((name) => {
      const record = readKeyspace(core.source, catalog, catalogKey(Buffer.from(name)));
      if (record?.keyspaceId === undefined) return [];
      const ofTrees = treesOf(record).map((tree) => tree.leafPages + tree.branchPages);
      const { overflowPages, elementPages } = record;
      const pages = ofTrees.reduce((sum, count) => sum + count, overflowPages + elementPages);
      return [{ name, pages }];
    });
  });
}
