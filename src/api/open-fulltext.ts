/**
 * Opening a keyspace of full text: what a handle is asked for, against what is stored.
 */
import { MnemeError } from '../shared/errors.js';
import type { Core } from './core.js';
import { assertHasKey } from './encryption-keys.js';
import { FtKeyspace } from './fulltext.js';
import { checkKeyspaceName } from './keys.js';
import type { KeyspaceView } from './keyspace.js';
import { KeyspaceAccess } from './keyspace-access.js';
import { analyzerMismatch, checkFtOptions, type FtOptions, settingsOf } from './text-analysis.js';

/** A handle, once name and options hold and agree with what is stored. */
export function openFtKeyspace(
  core: Core,
  name: string,
  given: FtOptions,
  scope: number,
  view?: KeyspaceView,
): FtKeyspace {
  core.assertOpen();
  checkKeyspaceName(name);
  const options = checkFtOptions(given);
  const { encrypted } = options;
  const kind = { keys: 'text', encrypted, settings: settingsOf(options) } as const;
  const access = new KeyspaceAccess(core, name, kind, scope, view);
  const record = access.read(() => access.record());
  if (encrypted === true) assertHasKey(core, name);
  const stored = record?.text;
  const keyspace = new FtKeyspace(core, name, options, stored, scope, view);
  if (stored === undefined) return keyspace;
  const { analyzerName = stored.analyzerName, positions = stored.positions } = options;
  const isAsStored = analyzerName === stored.analyzerName && positions === stored.positions;
  if (isAsStored) return keyspace;
  if (options.reindex === true) keyspace.reindex();
  else if (analyzerName !== stored.analyzerName) {
    throw analyzerMismatch(stored.analyzerName, analyzerName);
  } else {
    const details = { stored: `positions: ${stored.positions}`, asked: `positions: ${positions}` };
    throw new MnemeError('ERR_MNEME_TYPE_MISMATCH', details);
  }
  return keyspace;
}
