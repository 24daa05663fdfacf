/**
 * Which slots a filter lets count.
 */
import { compareBytes, prefixEnd } from '../shared/bytes/compare.js';
import { readU48 } from '../shared/bytes/integers.js';
import type { KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import { vectorsDamaged } from '../shared/keyspaces/vector.js';
import { TREE_KEY_BYTES_MAX } from '../shared/limits.js';
import { entryCount } from '../shared/pages/page.js';
import type { PageSource } from '../shared/pages/page-source.js';
import { Cursor } from '../shared/tree/cursor.js';
import { copyKey, valueAddress } from '../shared/tree/node.js';
import { isSelected } from './code-scan.js';
import type { Selection } from './vector-search.js';

/** A key that has a vector, and its slot. */
export interface KeySlot {
  readonly key: Uint8Array;
  readonly slot: number;
}

/** Walks the keys that have a vector, by rising key bytes. */
export class KeySlotWalk {
  readonly #source: PageSource;
  readonly #cursor: Cursor;
  readonly #high: Uint8Array | undefined;
  #isAtEnd: boolean;

  /** @param prefix - Of the keys that are walked. */
  constructor(source: PageSource, record: KeyspaceRecord, prefix: Uint8Array) {
    this.#source = source;
    this.#cursor = new Cursor(source, record.vectorSlots);
    this.#high = prefixEnd(prefix);
    this.#isAtEnd = !this.#cursor.seekKey(prefix);
  }

  /** The keys of the next leaf; undefined behind the last. */
  next(): KeySlot[] | undefined {
    if (this.#isAtEnd) return undefined;
    const { memory } = this.#source;
    const cursor = this.#cursor;
    const leaf = cursor.leaf();
    const found: KeySlot[] = [];
    const buffer = new Uint8Array(TREE_KEY_BYTES_MAX);
    for (let index = cursor.index; index < entryCount(memory, leaf); index++) {
      const key = buffer.slice(0, copyKey(memory, leaf, index, buffer, 0));
      if (this.#high !== undefined && compareBytes(key, this.#high) >= 0) {
        this.#isAtEnd = true;
        return found;
      }
      found.push({ key, slot: readU48(memory.u8, valueAddress(memory, leaf, index)) });
    }
    this.#isAtEnd = !cursor.moveLeaf(1);
    return found;
  }
}

/** Gathers slots that count. */
export class SelectedSlots implements Selection {
  readonly bits: Uint8Array;
  readonly #slotCount: number;
  count = 0;

  /** @param slotCount - Of all slots. */
  constructor(slotCount: number) {
    this.#slotCount = slotCount;
    this.bits = new Uint8Array(Math.ceil(slotCount / 8));
  }

  add(slot: number): void {
    if (slot >= this.#slotCount || isSelected(this.bits, slot)) {
      throw vectorsDamaged('a key has a slot that is not its own');
    }
    this.bits[slot >>> 3] = (this.bits[slot >>> 3] as number) | (1 << (slot & 7));
    this.count++;
  }
}
