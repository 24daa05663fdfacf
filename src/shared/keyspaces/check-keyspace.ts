/**
 * Walks trees and proves their invariants: each page reached once, order, counts, both directions
 * of the expiry index. Problems are gathered, not thrown: a broken page hides no other.
 */
import { compareBytes } from '../bytes/compare.js';
import { recordDeadline, typeOfTag } from '../bytes/value-codec.js';
import { MnemeError } from '../errors.js';
import type { PageId } from '../ids.js';
import { readOverflow } from '../pages/overflow-page.js';
import { entryCount } from '../pages/page.js';
import { PageMismatch } from '../pages/page-file.js';
import type { PageSource } from '../pages/page-source.js';
import { checkTree, type TreeVisitor } from '../tree/check-tree.js';
import { copyKey, valueAddress } from '../tree/node.js';
import type { Tree } from '../tree-root.js';
import {
  catalogKey,
  type KeyspaceRecord,
  keyspaceNames,
  readKeyspace,
  treesOf,
} from './catalog.js';
import { checkCollections } from './check-collections.js';
import { checkTexts } from './check-text.js';
import { checkVectors } from './check-vectors.js';
import { EXPIRY_DEADLINE_BYTES, writeDeadline } from './expiry.js';
import { openRing, shareKeys, storedRing } from './key-ring.js';
import { droppedIn, extentRuns, isLocked, longPayloads } from './page-owners.js';

export interface CheckProblem {
  readonly page: number;
  readonly keyspace?: string;
  readonly message: string;
}

export interface CheckReport {
  readonly ok: boolean;
  readonly pagesChecked: number;
  readonly problems: readonly CheckProblem[];
}

const PROBLEM_COUNT_MAX = 100;
const NOBODY = (): void => undefined;

export class FileChecker implements TreeVisitor {
  readonly #plain: PageSource;
  /** Of the keyspace that is being checked. */
  #source: PageSource;
  /** True when an encrypted keyspace cannot be opened by whoever checks. */
  #hasLocked = false;
  readonly #pageCount: number;
  readonly #reached: Uint8Array;
  readonly #problems: CheckProblem[] = [];
  readonly #onPage: (done: number) => void;
  #keyspace: string | undefined;
  #pagesChecked = 0;

  /** @param onPage - Told of each page of a tree before it is read. */
  constructor(source: PageSource, pageCount: number, onPage: (done: number) => void = NOBODY) {
    this.#plain = source;
    this.#source = source;
    this.#pageCount = pageCount;
    this.#onPage = onPage;
    this.#reached = new Uint8Array(pageCount);
  }

  addProblem(page: number, message: string): void {
    if (this.#problems.length >= PROBLEM_COUNT_MAX) return;
    const keyspace = this.#keyspace === undefined ? {} : { keyspace: this.#keyspace };
    this.#problems.push({ page, ...keyspace, message });
  }

  /** Counts pages as reached; each may be so once. */
  claimRun(start: number, length: number, owner: string): boolean {
    for (let page = start; page < start + length; page++) {
      if (page >= this.#pageCount) {
        this.addProblem(page, `${owner}: the page is behind the end of the file`);
        return false;
      }
      if (this.#reached[page] !== 0) {
        this.addProblem(page, `${owner}: the page is reached twice`);
        return false;
      }
      this.#reached[page] = 1;
    }
    return true;
  }

  enterPage(pageId: PageId): boolean {
    this.#onPage(this.#pagesChecked++);
    return this.claimRun(pageId, 1, 'tree');
  }

  /** Every tree of a state. A catalog that is broken hides only keyspaces. */
  checkTrees(catalog: Readonly<Tree>): void {
    this.#checkKeyRing(catalog);
    this.#checkCatalog(catalog);
    let names: string[] = [];
    try {
      names = keyspaceNames(this.#plain, catalog);
    } catch (error) {
      if (!(error instanceof PageMismatch || error instanceof MnemeError)) throw error;
      this.addProblem(0, `the catalog cannot be listed: ${error.message}`);
    }
    for (const name of names) {
      const record = this.#recordOf(name, catalog);
      if (record === undefined) continue;
      this.#source = this.#plain.of(record);
      this.#checkKeyspace(name, record, treesOf(record));
      this.#source = this.#plain;
    }
  }

  /** All of it by who can open it, else only its form. */
  #checkKeyRing(catalog: Readonly<Tree>): void {
    const source = this.#plain;
    try {
      if (source.keys.publicKey === undefined) storedRing(source, catalog);
      else {
        const ring = openRing(source, catalog);
        if (ring !== undefined) shareKeys(ring, source.keys);
      }
    } catch (error) {
      if (!isLocked(error)) this.noteFailure(0, error);
    }
  }

  /** Undefined for one that is broken, or whose key is not here: its pages are not known then. */
  #recordOf(name: string, catalog: Readonly<Tree>): KeyspaceRecord | undefined {
    try {
      return readKeyspace(this.#plain, catalog, catalogKey(Buffer.from(name)));
    } catch (error) {
      if (isLocked(error)) this.#hasLocked = true;
      else {
        this.#keyspace = name;
        this.noteFailure(0, error);
        this.#keyspace = undefined;
      }
      return undefined;
    }
  }

  #checkCatalog(catalog: Readonly<Tree>): void {
    checkTree(this.#source, catalog, this, (leaf) => this.#checkDropped(leaf));
  }

  /** Subtrees of dropped keyspaces are still in use, until they are freed. */
  #checkDropped(leaf: number): void {
    const dropped = droppedIn(this.#source, leaf);
    for (const { hasExtents, keyspaceId, ...root } of dropped) {
      if (keyspaceId !== undefined && this.#plain.keys.publicKey === undefined) {
        this.#hasLocked = true;
        continue;
      }
      this.#source = this.#plain.of({ keyspaceId });
      const tree = { ...root, count: -1, leafPages: -1, branchPages: -1 };
      checkTree(this.#source, tree, this, (node) => {
        if (hasExtents) this.#checkExtents(node);
      });
      this.#source = this.#plain;
    }
  }

  #checkKeyspace(name: string, record: KeyspaceRecord, trees: readonly Tree[]): void {
    this.#keyspace = name;
    const deadlines: Uint8Array[] = [];
    for (const tree of trees) {
      checkTree(this.#source, tree, this, (leaf) => {
        if (tree === record.values) this.#checkValues(leaf, deadlines);
        else if (tree === record.elements) this.#checkElements(leaf);
      });
    }
    this.#checkExpiry(record, deadlines);
    this.#checkCollections(record);
    this.#keyspace = undefined;
  }

  #checkValues(leaf: number, deadlines: Uint8Array[]): void {
    const { memory } = this.#source;
    const key = new Uint8Array(2048);
    for (let index = 0; index < entryCount(memory, leaf); index++) {
      const at = valueAddress(memory, leaf, index);
      if (typeOfTag(memory.u8[at] as number) === undefined) {
        this.addProblem(0, 'a value has an unknown type');
      }
      const deadline = recordDeadline(memory.u8, at);
      if (deadline === 0) continue;
      const length = copyKey(memory, leaf, index, key, EXPIRY_DEADLINE_BYTES);
      writeDeadline(key, 0, deadline);
      deadlines.push(key.slice(0, EXPIRY_DEADLINE_BYTES + length));
    }
    this.#checkExtents(leaf);
  }

  /** Elements of lists are values that do not expire. */
  #checkElements(leaf: number): void {
    const deadlines: Uint8Array[] = [];
    this.#checkValues(leaf, deadlines);
    if (deadlines.length > 0) this.addProblem(0, 'an element of a list has a deadline');
  }

  /** A tree that cannot be read was told of before. */
  #checkCollections(record: KeyspaceRecord): void {
    try {
      checkCollections(this.#source, record, (message) => this.addProblem(0, message));
      checkVectors(this.#source, record, (message) => this.addProblem(0, message));
      checkTexts(this.#source, record, (message) => this.addProblem(0, message));
    } catch (error) {
      this.noteFailure(0, error);
    }
  }

  #checkExtents(leaf: number): void {
    for (const { length, pointer } of longPayloads(this.#source, leaf)) {
      try {
        for (const run of extentRuns(this.#source, length, pointer)) {
          this.claimRun(run.start, run.length, 'extent');
        }
        readOverflow(this.#source, length, pointer);
      } catch (error) {
        this.noteFailure(pointer.pageId, error);
      }
    }
  }

  /** The index holds exactly the deadlines of the values. */
  #checkExpiry(record: KeyspaceRecord, deadlines: Uint8Array[]): void {
    deadlines.sort(compareBytes);
    const { memory } = this.#source;
    const key = new Uint8Array(2048);
    let position = 0;
    const entries: Uint8Array[] = [];
    const silent: TreeVisitor = {
      enterPage: () => true,
      addProblem: () => undefined,
      noteFailure: () => undefined,
    };
    checkTree(this.#source, record.expiry, silent, (leaf) => {
      for (let index = 0; index < entryCount(memory, leaf); index++) {
        entries.push(key.slice(0, copyKey(memory, leaf, index, key, 0)));
      }
    });
    entries.sort(compareBytes); // leaves are walked in no particular order
    for (const entry of entries) {
      const expected = deadlines[position++];
      if (expected !== undefined && compareBytes(entry, expected) === 0) continue;
      this.addProblem(0, 'the expiry index differs from the values');
      return;
    }
    if (position !== deadlines.length) this.addProblem(0, 'the expiry index lacks a deadline');
  }

  noteFailure(page: number, error: unknown): void {
    if (!(error instanceof PageMismatch || error instanceof MnemeError)) throw error;
    this.addProblem(page, error.message);
  }

  /**
   * Whatever was neither reached nor claimed is lost, unless it may be of a keyspace that cannot be
   * opened.
   */
  finish(): CheckReport {
    if (this.#hasLocked) return this.report();
    for (let page = 0; page < this.#pageCount; page++) {
      if (this.#reached[page] === 0) this.addProblem(page, 'the page is neither used nor free');
    }
    return this.report();
  }

  /** What was found so far. */
  report(): CheckReport {
    const problems = this.#problems;
    return { ok: problems.length === 0, pagesChecked: this.#pagesChecked, problems };
  }
}
