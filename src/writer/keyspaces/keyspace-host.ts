/**
 * The open transaction, as mutations of typed data see it.
 */
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import type { PageSource } from '../../shared/pages/page-source.js';
import type { Tree } from '../../shared/tree-root.js';
import type { DirtyPages } from '../pages/dirty-pages.js';
import type { OverflowWriter } from '../pages/overflow-writer.js';
import type { TreeWriter } from '../tree/tree-writer.js';
import type { OpenKeyspace } from './open-keyspace.js';

export interface KeyspaceHost {
  readonly memory: SharedMemory;
  readonly source: PageSource;
  readonly pages: DirtyPages;
  readonly trees: TreeWriter;
  readonly overflow: OverflowWriter;
  readonly catalog: Tree;
  keyspace(name: string): OpenKeyspace;
  forgetKeyspace(name: string): void;
  /** Gives all pages their checksums; they are never changed in place again. */
  freeze(): void;
  /** Writes pages early when the cache holds too many that are not in the file. */
  relieveCache(): void;
}
