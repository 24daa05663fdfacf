/**
 * The open transaction, as mutations of typed data see it.
 */
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import type { PageSource } from '../../shared/pages/page-source.js';
import type { Tree } from '../../shared/tree-root.js';
import type { DirtyPages } from '../pages/dirty-pages.js';
import type { OverflowWriter } from '../pages/overflow-writer.js';
import type { TreeWriter } from '../tree/tree-writer.js';
import type { KeyRingWriter } from './key-ring.js';
import type { OpenKeyspace } from './open-keyspace.js';

export interface KeyspaceHost {
  readonly memory: SharedMemory;
  /** Where the pages come from that are being changed. */
  readonly source: PageSource;
  readonly pages: DirtyPages;
  readonly trees: TreeWriter;
  readonly overflow: OverflowWriter;
  readonly catalog: Tree;
  readonly keyRing: KeyRingWriter;
  /** Opens a keyspace; what follows is about it. */
  keyspace(name: string): OpenKeyspace;
  /** What follows is about this keyspace. */
  enter(keyspace: OpenKeyspace): void;
  /** What follows is about the catalog; returns where its pages come from. */
  enterCatalog(): PageSource;
  forgetKeyspace(name: string): void;
  /** Gives all pages their checksums; they are never changed in place again. */
  freeze(): void;
  /** Writes pages early when the cache holds too many that are not in the file. */
  relieveCache(): void;
}
