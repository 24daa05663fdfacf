/**
 * A snapshot: one committed state, pinned until it is closed.
 */
import { MnemeError } from '../shared/errors.js';
import type { CommittedState } from '../shared/memory/control-block.js';
import type { PinnedState } from '../shared/memory/snapshot-pins.js';
import type { Core } from './core.js';
import type { FtKeyspace } from './fulltext.js';
import type { KeyspaceOptions, KeyspaceReader, KeyspaceView } from './keyspace.js';
import { openFtKeyspace } from './open-fulltext.js';
import { openKeyspace } from './open-keyspace.js';
import type { FtOptions } from './text-analysis.js';

/** What has to be given back when a snapshot is collected that nobody closed. */
interface Hold {
  readonly core: Core;
  readonly pinned: PinnedState;
}

const abandoned = new FinalizationRegistry<Hold>(({ core, pinned }) => core.unpin(pinned));

/**
 * An unchanging view of the last commit before it was taken. Keys expire as they did at that
 * moment. Holding one keeps the pages that it can see from being used again.
 */
export class Snapshot implements Disposable {
  readonly #core: Core;
  readonly #pinned: PinnedState;
  readonly #view: { readonly state: CommittedState; readonly now: number; isOpen: boolean };

  /** @internal */
  constructor(core: Core) {
    core.assertOpen();
    this.#core = core;
    this.#pinned = core.pin();
    this.#view = { state: this.#pinned.state, now: core.now(), isOpen: true };
    // The handles that it gave hold the view, and need the pin as long as they are used.
    abandoned.register(this.#view, { core, pinned: this.#pinned }, this.#view);
  }

  /** Where it comes from, and the moment that keys expire by. @internal */
  get origin() {
    if (!this.#view.isOpen) throw new MnemeError('ERR_MNEME_CLOSED');
    return { core: this.#core, state: this.#view.state, now: this.#view.now };
  }

  /** The transaction that made the state. */
  get txnId(): bigint {
    return BigInt(this.#view.state.txnId);
  }

  /**
   * A handle that reads this state; writing through it is `ERR_MNEME_READONLY`.
   * @throws {MnemeError} `ERR_MNEME_CLOSED`, `ERR_MNEME_TYPE_MISMATCH`.
   */
  keyspace(name: string, options: KeyspaceOptions & { keys: 'bytes' }): KeyspaceReader<Uint8Array>;
  keyspace(name: string, options?: KeyspaceOptions): KeyspaceReader;
  keyspace(
    name: string,
    options: KeyspaceOptions = {},
  ): KeyspaceReader | KeyspaceReader<Uint8Array> {
    if (!this.#view.isOpen) throw new MnemeError('ERR_MNEME_CLOSED');
    const view: KeyspaceView = this.#view;
    return openKeyspace(this.#core, name, options, 0, view);
  }

  /** A handle of full text that reads this state; writing through it is `ERR_MNEME_READONLY`. */
  ftKeyspace(name: string, options: FtOptions = {}): FtKeyspace {
    if (!this.#view.isOpen) throw new MnemeError('ERR_MNEME_CLOSED');
    return openFtKeyspace(this.#core, name, options, 0, this.#view);
  }

  /** Lets go of the state. Closing twice is fine. */
  close(): void {
    if (!this.#view.isOpen) return;
    this.#view.isOpen = false;
    abandoned.unregister(this.#view);
    if (this.#core.isOpen) this.#core.unpin(this.#pinned);
  }

  /** The same as `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
