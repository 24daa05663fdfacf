/**
 * Changes of the key ring: who may unwrap the data keys, and new data keys. Each is a change of the
 * open transaction, like any other (shared/keyspaces/key-ring.ts draws the entries).
 */
import { MnemeError } from '../../shared/errors.js';
import {
  type DataKey,
  encodeRing,
  MAC_OFFSET,
  macOfEntries,
  type OpenRing,
  openRing,
  type RingEntry,
  ringEntries,
  ringHead,
} from '../../shared/keyspaces/key-ring.js';
import type { DataKeyId } from '../../shared/memory/key-area.js';
import {
  commitmentOf,
  DATA_KEY_BYTES,
  fingerprintOf,
  sealOlderKey,
  wrapDataKey,
} from '../../shared/pages/key-slots.js';
import type { PageSource } from '../../shared/pages/page-source.js';
import type { Random } from '../../shared/system.js';
import type { Tree } from '../../shared/tree-root.js';
import type { DirtyPages } from '../pages/dirty-pages.js';
import type { TreeWriter } from '../tree/tree-writer.js';

const EPOCHS_MAX = 100;

/** The engine, as far as the ring needs it. */
export interface RingHost {
  readonly catalog: Tree;
  readonly trees: TreeWriter;
  readonly pages: DirtyPages;
  /** What follows is about the catalog; returns where its pages come from. */
  enterCatalog(): PageSource;
}

export class KeyRingWriter {
  readonly #host: RingHost;
  readonly #random: Random;
  /** A ring that goes into the file with the first commit of an encrypted keyspace. */
  #pending: OpenRing | undefined;
  /** The head of the ring that was opened last: its MAC is over all of the ring. */
  #known: { readonly head: Uint8Array; readonly id: DataKeyId } | undefined;

  constructor(host: RingHost, random: Random) {
    this.#host = host;
    this.#random = random;
  }

  /** The newest data key, known to all threads; a new ring's where there is none yet. */
  newestKey(): DataKeyId {
    const source = this.#host.enterCatalog();
    const head = ringHead(source, this.#host.catalog);
    const known = this.#known;
    if (known !== undefined && head !== undefined && Buffer.compare(known.head, head) === 0) {
      return known.id;
    }
    const ring = this.#ring();
    const [{ id }] = ring.keys;
    for (const { id: other, key } of ring.keys) source.keys.addDataKey(other, key);
    if (head !== undefined) this.#known = { head, id };
    return id;
  }

  /** The ring of the open transaction. @throws {MnemeError} `ERR_MNEME_KEY_REQUIRED` */
  #ring(): OpenRing {
    const source = this.#host.enterCatalog();
    const stored = openRing(source, this.#host.catalog);
    if (stored !== undefined) return stored;
    const { publicKey } = source.keys;
    if (publicKey === undefined) throw new MnemeError('ERR_MNEME_KEY_REQUIRED');
    this.#pending ??= { keys: [this.#newKey(1)], recipients: [publicKey] };
    return this.#pending;
  }

  #newKey(epoch: number): DataKey {
    const salt = Buffer.from(this.#random(4)).readUInt32LE(0);
    return { id: { epoch, salt }, key: Uint8Array.from(this.#random(DATA_KEY_BYTES)) };
  }

  /** Writes a new ring: something that it seals is about to be committed. */
  settle(): void {
    const source = this.#host.enterCatalog();
    const pending = this.#pending;
    if (pending === undefined) return;
    if (ringEntries(source, this.#host.catalog).length === 0) this.#write(pending);
  }

  /** Begins the ring of a file that has none: a new data key, for these identities. */
  begin(recipients: readonly Uint8Array[]): void {
    this.#write({ keys: [this.#newKey(1)], recipients });
  }

  /** Lets another identity unwrap the keys, from the next commit on. */
  add(publicKey: Uint8Array): void {
    const { keys, recipients } = this.#ring();
    if (recipients.some((known) => Buffer.compare(known, publicKey) === 0)) return;
    this.#write({ keys, recipients: [...recipients, publicKey] });
  }

  /**
   * Takes an identity's slot away, and begins a new epoch: with a data key that it kept it reads
   * nothing that is written from here on.
   */
  remove(fingerprint: Uint8Array): void {
    const { keys, recipients } = this.#ring();
    const others = recipients.filter((key) => !isFingerprintOf(fingerprint, key));
    if (others.length === recipients.length) {
      const hex = Buffer.from(fingerprint).toString('hex');
      throw new MnemeError('ERR_MNEME_KEY_NOT_FOUND', { fingerprint: hex });
    }
    if (others.length === 0) throw new MnemeError('ERR_MNEME_LAST_KEY');
    this.#write({ keys: this.#nextEpoch(keys), recipients: others });
  }

  /** Begins a new epoch: what is sealed from here on is so with a new data key. */
  rotate(): void {
    const { keys, recipients } = this.#ring();
    this.#write({ keys: this.#nextEpoch(keys), recipients });
  }

  #nextEpoch(keys: OpenRing['keys']): OpenRing['keys'] {
    if (keys.length >= EPOCHS_MAX) {
      const reason = `${EPOCHS_MAX} data keys are in use; rotateDataKey({ now: true }) first`;
      throw new MnemeError('ERR_MNEME_IO', { reason });
    }
    return [this.#newKey(keys[0].id.epoch + 1), ...keys];
  }

  /** Forgets all data keys but the newest: nothing is sealed with them any more. */
  forgetOlder(): void {
    const { keys, recipients } = this.#ring();
    if (keys.length > 1) this.#write({ keys: [keys[0]], recipients });
  }

  #write({ keys: [newest, ...older], recipients }: OpenRing): void {
    const { keys: area, databaseId } = this.#host.enterCatalog();
    const { id, key } = newest;
    const random = this.#random;
    const entries = encodeRing({
      newest: id,
      commitment: commitmentOf(key, databaseId),
      slots: recipients.map((publicKey) => {
        return { publicKey, wrapped: wrapDataKey(key, id, databaseId, publicKey, random) };
      }),
      older: older.map((it) => {
        return { id: it.id, sealed: sealOlderKey(it.key, it.id, key, databaseId, random) };
      }),
    });
    const mac = macOfEntries(key, databaseId, entries);
    const head = (entries[0] as RingEntry).value;
    head.set(mac, MAC_OFFSET);
    area.addDataKey(id, key);
    // Who has taken its own slot away seals with the key that it made, as long as it is open.
    this.#known = { head, id };
    this.#replaceEntries(entries);
    this.#host.pages.sealing = undefined;
  }

  #replaceEntries(entries: ReturnType<typeof encodeRing>): void {
    const { trees, catalog } = this.#host;
    for (const { key } of ringEntries(this.#host.enterCatalog(), catalog)) {
      trees.locate(catalog, key, 0, key.length);
      trees.remove(catalog);
    }
    for (const { key, value } of entries) {
      trees.locate(catalog, key, 0, key.length);
      trees.put(catalog, value, 0, value.length);
    }
  }
}

function isFingerprintOf(fingerprint: Uint8Array, publicKey: Uint8Array): boolean {
  return Buffer.compare(fingerprintOf(publicKey), fingerprint) === 0;
}
