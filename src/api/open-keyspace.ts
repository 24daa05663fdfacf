/**
 * Opening a keyspace: what a handle is asked for, against what is stored.
 */
import { invalidType } from '../shared/errors.js';
import type { Core } from './core.js';
import { assertHasKey } from './encryption-keys.js';
import { checkKeyspaceName } from './keys.js';
import { Keyspace, type KeyspaceOptions, type KeyspaceView } from './keyspace.js';

/** A handle, once name and options hold and agree with what is stored. */
export function openKeyspace(
  core: Core,
  name: string,
  options: KeyspaceOptions,
  scope: number,
  view?: KeyspaceView,
): Keyspace | Keyspace<Uint8Array> {
  core.assertOpen();
  checkKeyspaceName(name);
  if (typeof options !== 'object' || options === null) {
    throw invalidType('options', 'an object', options);
  }
  const { keys = 'text', integers = 'auto', encrypted } = options;
  if (keys !== 'text' && keys !== 'bytes') throw invalidType('keys', "'text' or 'bytes'", keys);
  if (integers !== 'auto' && integers !== 'number' && integers !== 'bigint') {
    throw invalidType('integers', "'auto', 'number' or 'bigint'", integers);
  }
  if (encrypted !== undefined && typeof encrypted !== 'boolean') {
    throw invalidType('encrypted', 'a boolean', encrypted);
  }
  const kind = { keys, encrypted, settings: undefined };
  const keyspace = new Keyspace<string>(core, name, kind, integers, scope, view);
  keyspace.checkStored();
  if (encrypted === true) assertHasKey(core, name);
  return keyspace;
}
