/**
 * Dropping keyspaces: the catalog record goes at once, the pages bit by bit in later commits.
 *
 * What is still to be freed stands in the catalog as subtrees. A commit takes the first of them: a
 * leaf is freed, a branch replaced by its children, so that no step costs more than one branch page
 * and its leaves.
 */
import { writeU48 } from '../../shared/bytes/integers.js';
import { OVERFLOW_FLAG, payloadOffset } from '../../shared/bytes/value-codec.js';
import type { PagePointer } from '../../shared/ids.js';
import {
  catalogKey,
  DROPPED_KEY,
  type DroppedTree,
  decodeDropped,
  encodeDropped,
  newKeyspaceRecord,
  readKeyspace,
  treesOf,
} from '../../shared/keyspaces/catalog.js';
import { DROPPED_PAGES_MAX } from '../../shared/limits.js';
import { entryCount } from '../../shared/pages/page.js';
import { PageMismatch } from '../../shared/pages/page-file.js';
import { Cursor } from '../../shared/tree/cursor.js';
import { childPointer, copyKey, valueAddress, valueLength } from '../../shared/tree/node.js';
import type { KeyspaceHost } from './keyspace-host.js';

const KEY_BYTES = 7;

export class CatalogWriter {
  readonly #engine: KeyspaceHost;
  #sequence = 0;
  /** False when the catalog surely holds nothing to be freed. */
  #mayHaveDropped = true;

  constructor(engine: KeyspaceHost) {
    this.#engine = engine;
  }

  /** True when the keyspace existed. */
  drop(name: string): boolean {
    const engine = this.#engine;
    const keyspace = engine.keyspace(name);
    const existed = keyspace.exists || keyspace.changed;
    if (!existed) return false;
    engine.freeze();
    const { values, elements, overflowPages, elementPages } = keyspace.record;
    for (const tree of treesOf(keyspace.record)) {
      if (tree.level < 0) continue;
      const hasExtents =
        (tree === values && overflowPages > 0) || (tree === elements && elementPages > 0);
      const { pageId, low, high, level } = tree;
      this.#append({ pageId, low, high, level, hasExtents });
    }
    const { trees, catalog, source } = engine;
    const { key } = keyspace;
    if (readKeyspace(source, catalog, catalogKey(new TextEncoder().encode(name))) !== undefined) {
      trees.locate(catalog, key, 0, key.length);
      trees.remove(catalog);
    }
    keyspace.record = newKeyspaceRecord('text');
    keyspace.exists = false;
    keyspace.changed = false;
    engine.forgetKeyspace(name);
    return true;
  }

  #append(tree: DroppedTree): void {
    const { trees, catalog } = this.#engine;
    const key = new Uint8Array(KEY_BYTES);
    do {
      key[0] = DROPPED_KEY;
      writeU48(key, 1, this.#sequence++);
    } while (trees.locate(catalog, key, 0, key.length) !== 0);
    const value = encodeDropped(tree);
    trees.put(catalog, value, 0, value.length);
    this.#mayHaveDropped = true;
  }

  /** Frees a bounded part of what was dropped. */
  freeSome(): void {
    let budget = DROPPED_PAGES_MAX;
    while (this.#mayHaveDropped && budget > 0) {
      const tree = this.#takeFirst();
      if (tree === undefined) this.#mayHaveDropped = false;
      else budget -= this.#freeLevel(tree);
    }
  }

  #takeFirst(): DroppedTree | undefined {
    const { trees, catalog, source, memory } = this.#engine;
    const cursor = new Cursor(source, catalog);
    if (!cursor.seekRank(0)) return undefined;
    const leaf = cursor.leaf();
    const key = new Uint8Array(2048);
    const length = copyKey(memory, leaf, 0, key, 0);
    if (key[0] !== DROPPED_KEY) return undefined;
    const at = valueAddress(memory, leaf, 0);
    const tree = decodeDropped(memory.u8, at, valueLength(memory, leaf, 0));
    if (trees.locate(catalog, key, 0, length) === 0) {
      throw new PageMismatch(catalog.pageId, 'its first key is not where it belongs');
    }
    trees.remove(catalog);
    return tree;
  }

  /**
   * Frees a subtree's root page; its children too if they are leaves, else they wait their turn.
   */
  #freeLevel(tree: DroppedTree): number {
    const { source, memory, pages } = this.#engine;
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
        } else this.#append({ ...child, level: tree.level - 1, hasExtents: tree.hasExtents });
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
