/**
 * Dropping keyspaces: the catalog record goes at once, the pages bit by bit in later commits.
 *
 * What is still to be freed stands in the catalog as subtrees. A commit takes the first of them: a
 * leaf is freed, a branch replaced by its children, so that no step costs more than one branch page
 * and its leaves. Those of an encrypted keyspace wait until somebody writes who has a key.
 */
import { writeU48 } from '../../shared/bytes/integers.js';
import { OVERFLOW_FLAG, payloadOffset } from '../../shared/bytes/value-codec.js';
import { MnemeError } from '../../shared/errors.js';
import type { PagePointer } from '../../shared/ids.js';
import {
  DROPPED_KEY,
  DROPPED_SEALED_KEY,
  type DroppedTree,
  decodeDropped,
  encodeDropped,
  treesOf,
} from '../../shared/keyspaces/catalog.js';
import { DROPPED_PAGES_MAX } from '../../shared/limits.js';
import { entryCount } from '../../shared/pages/page.js';
import { PageMismatch } from '../../shared/pages/page-file.js';
import { Cursor } from '../../shared/tree/cursor.js';
import { childPointer, copyKey, valueAddress, valueLength } from '../../shared/tree/node.js';
import type { KeyspaceHost } from './keyspace-host.js';

const KEY_BYTES = 7;
const LOCKED: ReadonlySet<string> = new Set([
  'ERR_MNEME_KEY_REQUIRED',
  'ERR_MNEME_KEY_NOT_AUTHORIZED',
]);

export class CatalogWriter {
  readonly #engine: KeyspaceHost;
  #sequence = 0;
  /** False when the catalog surely holds nothing of the kind that can be freed. */
  readonly #mayHold = { [DROPPED_KEY]: true, [DROPPED_SEALED_KEY]: true };

  constructor(engine: KeyspaceHost) {
    this.#engine = engine;
  }

  /** True when the keyspace existed. */
  drop(name: string): boolean {
    const engine = this.#engine;
    const keyspace = engine.keyspace(name);
    const existed = keyspace.exists || keyspace.changed;
    if (!existed) {
      engine.forgetKeyspace(name); // it may be made of another kind
      return false;
    }
    engine.freeze();
    const { values, elements, overflowPages, elementPages, keyspaceId } = keyspace.record;
    engine.enterCatalog();
    for (const tree of treesOf(keyspace.record)) {
      if (tree.level < 0) continue;
      const hasExtents =
        (tree === values && overflowPages > 0) || (tree === elements && elementPages > 0);
      const { pageId, low, high, level } = tree;
      this.#append({ pageId, low, high, level, hasExtents, keyspaceId });
    }
    const { trees, catalog } = engine;
    const { key } = keyspace;
    if (trees.locate(catalog, key, 0, key.length) !== 0) trees.remove(catalog);
    keyspace.exists = false;
    keyspace.changed = false;
    engine.forgetKeyspace(name);
    return true;
  }

  #append(tree: DroppedTree): void {
    const { trees, catalog } = this.#engine;
    this.#engine.enterCatalog();
    const kind = tree.keyspaceId === undefined ? DROPPED_KEY : DROPPED_SEALED_KEY;
    const key = new Uint8Array(KEY_BYTES);
    do {
      key[0] = kind;
      writeU48(key, 1, this.#sequence++);
    } while (trees.locate(catalog, key, 0, key.length) !== 0);
    const value = encodeDropped(tree);
    trees.put(catalog, value, 0, value.length);
    this.#mayHold[kind] = true;
  }

  /** Frees a bounded part of what was dropped. */
  freeSome(): void {
    let budget = DROPPED_PAGES_MAX;
    for (const kind of [DROPPED_KEY, DROPPED_SEALED_KEY] as const) {
      while (this.#mayHold[kind] && budget > 0) {
        const tree = this.#takeFirst(kind);
        if (tree === undefined) this.#mayHold[kind] = false;
        else budget -= this.#freeLevel(tree);
      }
    }
  }

  /** True while something waits to be freed that this process can read. */
  get hasDropped(): boolean {
    return this.#mayHold[DROPPED_KEY] || this.#mayHold[DROPPED_SEALED_KEY];
  }

  #takeFirst(kind: typeof DROPPED_KEY | typeof DROPPED_SEALED_KEY): DroppedTree | undefined {
    const { trees, catalog, memory } = this.#engine;
    const cursor = new Cursor(this.#engine.enterCatalog(), catalog);
    if (!cursor.seekKey(Uint8Array.of(kind))) return undefined;
    const leaf = cursor.leaf();
    const { index } = cursor;
    if (index >= entryCount(memory, leaf)) return undefined;
    const key = new Uint8Array(2048);
    const length = copyKey(memory, leaf, index, key, 0);
    if (key[0] !== kind) return undefined;
    const at = valueAddress(memory, leaf, index);
    const tree = decodeDropped(memory.u8, at, valueLength(memory, leaf, index));
    if (tree.keyspaceId !== undefined && !this.#hasKeys()) return undefined;
    this.#engine.enterCatalog();
    if (trees.locate(catalog, key, 0, length) === 0) {
      throw new PageMismatch(catalog.pageId, 'its first key is not where it belongs');
    }
    trees.remove(catalog);
    return tree;
  }

  /** True when whoever writes can open what is sealed. */
  #hasKeys(): boolean {
    try {
      this.#engine.keyRing.newestKey();
      return true;
    } catch (error) {
      if (error instanceof MnemeError && LOCKED.has(error.code)) return false;
      throw error;
    }
  }

  /**
   * Frees a subtree's root page; its children too if they are leaves, else they wait their turn.
   */
  #freeLevel(tree: DroppedTree): number {
    const { memory, pages } = this.#engine;
    const source = this.#engine.enterCatalog().of(tree);
    pages.source = source;
    let freed = 1;
    if (tree.level === 0) this.#freeLeaf(tree, tree.hasExtents);
    else {
      const node = source.fetchPointer(tree, tree.level);
      const children = Array.from({ length: entryCount(memory, node) }, (_, index) => {
        return childPointer(memory, node, index);
      });
      for (const child of children) {
        if (tree.level === 1) {
          this.#freeLeaf(child, tree.hasExtents);
          freed++;
        } else {
          const { hasExtents, keyspaceId } = tree;
          this.#append({ ...child, level: tree.level - 1, hasExtents, keyspaceId });
        }
      }
      pages.freePages(tree, 1, 0);
    }
    return freed;
  }

  #freeLeaf(leaf: PagePointer, hasExtents: boolean): void {
    const { source, memory, pages, overflow } = this.#engine;
    if (hasExtents) {
      const node = source.fetchPointer(leaf, 0);
      for (let index = 0; index < entryCount(memory, node); index++) {
        const address = valueAddress(memory, node, index);
        if (((memory.u8[address] as number) & OVERFLOW_FLAG) === 0) continue;
        overflow.free(memory.u8, payloadOffset(memory.u8, address));
      }
    }
    pages.freePages(leaf, 1, 0);
  }
}
