/**
 * Handing an open database to other threads of the process.
 */
import { invalidType } from '../shared/errors.js';
import type { Core } from './core.js';
import type { SharedPlaces } from './open-file.js';
import type { CheckedOptions } from './options.js';

/** What crosses threads: post it, or pass it as `workerData`, and `attach` there. */
export interface SharedDatabase {
  /** Tells it from anything else that is posted. */
  readonly kind: 'mneme-shared';
}

/** What a shared database is made of. A function cannot be posted, so the clock stays behind;
 * keys are in the memory already. */
interface SharedContent extends SharedDatabase {
  readonly path: string;
  readonly options: Omit<CheckedOptions, 'clock' | 'identity'>;
  readonly places: SharedPlaces;
}

export function shareCore(core: Core): SharedDatabase {
  const { clock: _, identity: __, ...options } = core.options;
  const shared: SharedContent = {
    kind: 'mneme-shared',
    path: core.path,
    options,
    places: core.share(),
  };
  return shared;
}

/** @throws {TypeError} for what is not a shared database. */
export function sharedContent(shared: SharedDatabase): SharedContent {
  const isShared = typeof shared === 'object' && shared !== null && shared.kind === 'mneme-shared';
  if (!isShared || !('places' in shared)) {
    throw invalidType('shared', 'what share() returned', shared);
  }
  return shared as SharedContent;
}
