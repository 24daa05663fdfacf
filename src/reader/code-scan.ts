/**
 * The scan of a keyspace's codes for one query: which slots may be among the nearest.
 *
 * A branch above leaves is one piece of work: the kernel walks its leaves four at a time, as far as
 * they are in the cache, and what it finds is gathered here together with the bound that it must
 * reach. Any piece may be scanned by anybody, in any order: a vector belongs to the piece in which
 * its first row stands.
 */
import {
  encodeQuery,
  type Metric,
  PART_BYTES,
  QUERY_ENTRY,
  QUERY_OUT,
  QUERY_OUT_END,
  QUERY_THRESHOLD,
  SURVIVOR_BYTES,
  type VectorLayout,
} from '../shared/bytes/vector-codes.js';
import type { PagePointer } from '../shared/ids.js';
import type { Findings } from '../shared/memory/search-job.js';
import { entryCount } from '../shared/pages/page.js';
import { PageMismatch } from '../shared/pages/page-file.js';
import type { PageSource } from '../shared/pages/page-source.js';
import { childCount, childPointer } from '../shared/tree/node.js';
import { markWalk } from '../shared/tree/walk.js';
import type { TreeRoot } from '../shared/tree-root.js';
import { TopK } from './top-k.js';

/** Leaves that the kernel walks together. */
const GROUP = 4;
/** The bound is renewed after so many leaves, at first more often. */
const LEAVES_MIN = 4;
const LEAVES_MAX = 64;
/** More survivors than this are sifted before others are added. */
const SURVIVORS_MAX = 4096;

/** A part of the tree of codes: a branch above leaves, or a leaf that is a root. */
export interface CodePiece extends PagePointer {
  readonly level: number;
  /** Number of its first entry. */
  readonly entry: number;
}

/** The pieces of the tree that was scanned last, by who reads. */
const knownPieces = new WeakMap<PageSource, { root: PagePointer; pieces: CodePiece[] }>();

/** All pieces of a tree, in the order of their entries. */
export function codePieces(source: PageSource, tree: Readonly<TreeRoot>): readonly CodePiece[] {
  const { pageId, low, high } = tree;
  const known = knownPieces.get(source);
  const isKnown = known?.root.pageId === pageId && known.root.low === low;
  if (isKnown && known.root.high === high) return known.pieces;
  const pieces = findPieces(source, tree);
  // What an open transaction has changes under the same pointer.
  if (high >= 0) knownPieces.set(source, { root: { pageId, low, high }, pieces });
  return pieces;
}

function findPieces(source: PageSource, tree: Readonly<TreeRoot>): CodePiece[] {
  const { pageId, low, high, level } = tree;
  let pieces: CodePiece[] = level < 0 ? [] : [{ pageId, low, high, level, entry: 0 }];
  for (let above = level; above > 1; above--) {
    pieces = pieces.flatMap((piece) => childrenOf(source, piece));
  }
  return pieces;
}

function childrenOf(source: PageSource, piece: CodePiece): CodePiece[] {
  const { memory } = source;
  const node = source.fetchPointer(piece, piece.level);
  let entry = piece.entry;
  return Array.from({ length: entryCount(memory, node) }, (_, index) => {
    const first = entry;
    entry += childCount(memory, node, index);
    return { ...childPointer(memory, node, index), level: piece.level - 1, entry: first };
  });
}

/** Where a scan lies in the shared memory that only this thread uses. */
export interface ScanPlace {
  readonly address: number;
  /** Where the kernel's output goes. */
  readonly out: number;
  readonly outEnd: number;
}

export interface CodeScanOptions {
  readonly source: PageSource;
  readonly layout: VectorLayout;
  /** Vectors in the keyspace. */
  readonly count: number;
  readonly vector: Float32Array;
  readonly metric: Metric;
  readonly topK: number;
  readonly place: ScanPlace;
  /** A bit for each slot that counts; undefined when all do. */
  readonly selected?: Uint8Array | undefined;
}

export class CodeScan {
  readonly #source: PageSource;
  readonly #layout: VectorLayout;
  readonly #count: number;
  readonly #place: ScanPlace;
  readonly #selected: Uint8Array | undefined;
  readonly #bounds: TopK;
  #slots: number[] = [];
  #uppers: number[] = [];
  #threshold = Number.NEGATIVE_INFINITY;
  #siftAt = SURVIVORS_MAX;
  #leaves = LEAVES_MIN;
  /**
   * Parts of a vector that is not whole yet, at the start of the output: first entry and count.
   * Kept from scan to scan, since the output is that of other queries meanwhile.
   */
  #carryEntry = 0;
  #carryCount = 0;
  readonly #carry: Uint8Array;

  constructor(options: CodeScanOptions) {
    const { source, layout, count, vector, metric, topK, place } = options;
    this.#source = source;
    this.#layout = layout;
    this.#count = count;
    this.#place = place;
    this.#selected = options.selected;
    this.#bounds = new TopK(topK);
    this.#carry = new Uint8Array(layout.segments * PART_BYTES);
    source.memory.u8.set(encodeQuery(layout, vector, metric), place.address);
    // Behind the parts of whole vectors there is room for these as survivors.
    const room = layout.segments === 1 ? place.outEnd : (place.out + place.outEnd) >>> 1;
    this.#set(QUERY_OUT_END, room);
  }

  /** What a vector's upper bound has to reach, as far as is known. */
  get threshold(): number {
    return this.#threshold;
  }

  /** Another has found that less than this is not enough. */
  raiseThreshold(threshold: number): void {
    if (!(threshold > this.#threshold)) return;
    this.#threshold = threshold;
    this.#source.memory.f64[(this.#place.address + QUERY_THRESHOLD) >>> 3] = threshold;
  }

  /** Leaves that may be scanned before the bound should be renewed. */
  nextLeaves(): number {
    const leaves = this.#leaves;
    this.#leaves = Math.min(2 * leaves, LEAVES_MAX);
    return leaves;
  }

  /** What may be among the nearest, of all pieces scanned since it was asked last. */
  takeFindings(): Findings {
    this.#endCarry();
    this.#sift();
    const findings = { slots: this.#slots, uppers: this.#uppers };
    this.#slots = [];
    this.#uppers = [];
    return findings;
  }

  #set(field: number, value: number): void {
    this.#source.memory.i32[(this.#place.address + field) >>> 2] = value;
  }

  #get(field: number): number {
    return (this.#source.memory.i32[(this.#place.address + field) >>> 2] as number) >>> 0;
  }

  /**
   * Scans the leaves `from` to `to` of a piece; the first of them begins with entry `entry`.
   * Returns the number of the entry behind them.
   */
  scan(piece: CodePiece, from: number, to: number, entry: number): number {
    this.#begin(entry);
    if (piece.level === 0) this.#scanLeaf(piece);
    else this.#scanChildren(piece, from, to);
    return this.#get(QUERY_ENTRY);
  }

  #scanChildren(piece: CodePiece, from: number, to: number): void {
    const { memory, walk } = this.#source;
    let stuck = -1;
    for (let at = from; at < to; ) {
      const branch = this.#source.fetchPointer(piece, 1);
      markWalk(this.#source, walk);
      const next = memory.kernels.scanLeaves(this.#place.address, walk, branch, at, to);
      if (next < 0) throw notCodes(piece);
      this.#drain();
      if (next === to) return;
      at = next;
      // When the cache has no room for a group, its leaves go one by one.
      if (stuck === next) this.#scanLeaf(childPointer(memory, this.#fetch(piece), at++));
      else this.#fetchGroup(piece, at, to);
      stuck = next;
    }
  }

  #fetch(piece: CodePiece): number {
    return this.#source.fetchPointer(piece, 1);
  }

  #fetchGroup(piece: CodePiece, from: number, to: number): void {
    const { memory } = this.#source;
    for (let child = from; child < Math.min(from + GROUP, to); child++) {
      this.#source.fetchPointer(childPointer(memory, this.#fetch(piece), child), 0);
    }
  }

  #scanLeaf(pointer: PagePointer): void {
    const leaf = this.#source.fetchPointer(pointer, 0);
    const isGood = this.#source.memory.kernels.scanLeaf(this.#place.address, leaf);
    if (!isGood) throw notCodes(pointer);
    this.#drain();
  }

  /** Goes on from an entry: with the vector that is not whole yet, if that is the one. */
  #begin(entry: number): void {
    if (this.#carryCount > 0 && this.#carryEntry + this.#carryCount !== entry) this.#endCarry();
    if (this.#carryCount === 0) this.#carryEntry = entry;
    this.#source.memory.u8.set(this.#carried, this.#place.out);
    this.#set(QUERY_ENTRY, entry);
    this.#set(QUERY_OUT, this.#place.out + this.#carryCount * PART_BYTES);
  }

  get #carried(): Uint8Array {
    return this.#carry.subarray(0, this.#carryCount * PART_BYTES);
  }

  /** The rest of the vector is in a piece of somebody else's: it is looked at whole later. */
  #endCarry(): void {
    if (this.#carryCount === 0) return;
    this.#carryCount = 0;
    const slot = this.#carryEntry / this.#layout.segments;
    this.#add(slot, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  }

  /** Gathers what the kernel has written, and renews the bound. */
  #drain(): void {
    const { out } = this.#place;
    if (this.#layout.segments === 1) {
      this.#gather(out, this.#get(QUERY_OUT));
      this.#set(QUERY_OUT, out);
    } else this.#drainParts();
    this.raiseThreshold(this.#bounds.threshold);
  }

  #drainParts(): void {
    const { memory } = this.#source;
    const { out, address } = this.#place;
    const { segments } = this.#layout;
    const partsEnd = this.#get(QUERY_OUT);
    let count = (partsEnd - out) / PART_BYTES;
    // The first vector may have begun in another piece.
    const skipped = Math.min(count, (segments - (this.#carryEntry % segments)) % segments);
    count -= skipped;
    const parts = out + skipped * PART_BYTES;
    const entry = this.#carryEntry + skipped;
    const whole = Math.floor(count / segments);
    const end = memory.kernels.judgeParts(address, parts, whole, entry / segments, partsEnd);
    this.#gather(partsEnd, end >>> 0);
    const used = whole * segments;
    this.#carryEntry = entry + used;
    this.#carryCount = count - used;
    this.#carry.set(memory.u8.subarray(parts + used * PART_BYTES, partsEnd));
    memory.u8.set(this.#carried, out);
    this.#set(QUERY_OUT, out + this.#carryCount * PART_BYTES);
  }

  #gather(start: number, end: number): void {
    const { i32, f64 } = this.#source.memory;
    for (let at = start; at < end; at += SURVIVOR_BYTES) {
      const slot = (i32[at >>> 2] as number) >>> 0;
      this.#add(slot, f64[(at + 8) >>> 3] as number, f64[(at + 16) >>> 3] as number);
    }
  }

  #add(slot: number, lower: number, upper: number): void {
    if (slot >= this.#count) return; // what is behind the last slot of an entry
    if (this.#selected !== undefined && !isSelected(this.#selected, slot)) return;
    if (lower > this.#threshold) this.#bounds.add(lower);
    this.#slots.push(slot);
    this.#uppers.push(Number.isNaN(upper) ? Number.POSITIVE_INFINITY : upper);
    if (this.#slots.length >= this.#siftAt) {
      this.#sift();
      this.#siftAt = Math.max(SURVIVORS_MAX, 2 * this.#slots.length);
    }
  }

  /** Forgets survivors that the bound has passed. */
  #sift(): void {
    const threshold = Math.max(this.#threshold, this.#bounds.threshold);
    const uppers = this.#uppers;
    this.#slots = this.#slots.filter((_, index) => !((uppers[index] as number) < threshold));
    this.#uppers = uppers.filter((upper) => !(upper < threshold));
  }
}

/** @param selected - A bit for each slot. */
export function isSelected(selected: Uint8Array, slot: number): boolean {
  return ((selected[slot >>> 3] as number) & (1 << (slot & 7))) !== 0;
}

function notCodes({ pageId }: PagePointer): PageMismatch {
  return new PageMismatch(pageId, 'it is no leaf of codes');
}
