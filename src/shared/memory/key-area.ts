/**
 * The keys of an open database, for all threads that share its memory.
 *
 * Whoever unwraps a data key puts it here, so that writer, readers and attached threads open the
 * same pages and only one of them has had the work. Closing the database overwrites all of it.
 *
 *   offset  size  field
 *        0     4  identity: 1 when the next two are there
 *       64    32  Ed25519 public key of who opened the database
 *       96    32  X25519 secret of the same identity
 *      128        places of data keys, 48 bytes each
 *
 *   offset  size  field of a place
 *        0     4  state: EMPTY, FILLING or READY
 *        4     8  epoch and salt: which data key it is
 *       16    32  the key
 */
import { KEYS_ADDRESS, KEYS_BYTES, type SharedMemory } from './shared-memory.js';

const KEY_BYTES = 32;
const IDENTITY = KEYS_ADDRESS;
const PUBLIC_KEY = KEYS_ADDRESS + 64;
const SECRET = KEYS_ADDRESS + 96;
const PLACES = KEYS_ADDRESS + 128;
const PLACE_BYTES = 48;
const PLACE_COUNT = Math.floor((KEYS_BYTES - 128) / PLACE_BYTES);
const EMPTY = 0;
const FILLING = 1;
const READY = 2;

/**
 * Names a data key: epochs rise with each rotation, and the salt tells keys of one epoch apart that
 * were made in transactions of which one only was committed.
 */
export interface DataKeyId {
  readonly epoch: number;
  readonly salt: number;
}

export function isSameDataKey(a: DataKeyId, b: DataKeyId): boolean {
  return a.epoch === b.epoch && a.salt === b.salt;
}

/** Who opened the database. */
export interface Identity {
  readonly publicKey: Uint8Array;
  readonly x25519Secret: Uint8Array;
}

export class KeyArea {
  readonly #i32: Int32Array;
  readonly #u8: Uint8Array;

  constructor(memory: SharedMemory) {
    this.#i32 = memory.i32;
    this.#u8 = memory.u8;
  }

  /** Before the memory is shared with anybody. */
  setIdentity({ publicKey, x25519Secret }: Identity): void {
    this.#u8.set(publicKey, PUBLIC_KEY);
    this.#u8.set(x25519Secret, SECRET);
    Atomics.store(this.#i32, IDENTITY >>> 2, READY);
  }

  /** The public key of who opened the database; undefined when it was opened without one. */
  get publicKey(): Uint8Array | undefined {
    if (Atomics.load(this.#i32, IDENTITY >>> 2) !== READY) return undefined;
    return this.#u8.slice(PUBLIC_KEY, PUBLIC_KEY + KEY_BYTES);
  }

  /** Copies; whoever asked overwrites the secret when he is done. */
  identity(): Identity | undefined {
    const { publicKey } = this;
    if (publicKey === undefined) return undefined;
    return { publicKey, x25519Secret: this.#u8.slice(SECRET, SECRET + KEY_BYTES) };
  }

  /** A copy of a data key, undefined when nobody has put it here. */
  dataKey(id: DataKeyId): Uint8Array | undefined {
    for (let place = 0; place < PLACE_COUNT; place++) {
      const address = PLACES + place * PLACE_BYTES;
      if (!this.#holds(address, id)) continue;
      const key = this.#u8.slice(address + 16, address + 16 + KEY_BYTES);
      // Its place may have been given to another one meanwhile.
      if (this.#holds(address, id)) return key;
    }
    return undefined;
  }

  #holds(address: number, { epoch, salt }: DataKeyId): boolean {
    const word = address >>> 2;
    if (Atomics.load(this.#i32, word) !== READY) return false;
    return this.#i32[word + 1] === (epoch | 0) && this.#i32[word + 2] === (salt | 0);
  }

  /** Puts a data key where all threads find it; when there is no room, in an older one's place. */
  addDataKey(id: DataKeyId, key: Uint8Array): void {
    if (this.dataKey(id)?.fill(0) !== undefined) return;
    const address = PLACES + this.#takePlace(id.epoch) * PLACE_BYTES;
    const word = address >>> 2;
    this.#i32[word + 1] = id.epoch | 0;
    this.#i32[word + 2] = id.salt | 0;
    this.#u8.set(key, address + 16);
    Atomics.store(this.#i32, word, READY);
  }

  #takePlace(epoch: number): number {
    for (let place = 0; place < PLACE_COUNT; place++) {
      const word = (PLACES + place * PLACE_BYTES) >>> 2;
      if (Atomics.compareExchange(this.#i32, word, EMPTY, FILLING) === EMPTY) return place;
    }
    const place = epoch % PLACE_COUNT;
    Atomics.store(this.#i32, (PLACES + place * PLACE_BYTES) >>> 2, FILLING);
    return place;
  }

  /** Overwrites everything: the database is closed. */
  clear(): void {
    this.#u8.fill(0, KEYS_ADDRESS, KEYS_ADDRESS + KEYS_BYTES);
  }
}
