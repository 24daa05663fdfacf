/**
 * The plain loops over nodes: what assembly/node.ts does, in the most obvious way.
 */
import type { NodeKernels } from './kernel-interface.js';

const HEADER = 32;
const SLOT = 8;
const HEAD = 4;
const LEAF_CELL = 2;
const BRANCH_CELL = 18;
const SIGN = 0x80000000;
const FRAME_MASK = 0xfffff;
const HASH_FACTOR = 0x9e3779b1;
const BUCKET_SLOTS = 16;
const RECORD_BYTES = 32;
const WALK_STEPS = 32;
const STEP = 32;
const TWO_POW_32 = 2 ** 32;

function compare(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const difference = (a[at] as number) - (b[at] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Nodes as the plain kernels see them: whole keys and cells. */
export class PlainNodes {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(buffer: SharedArrayBuffer) {
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  u16(address: number): number {
    return this.view.getUint16(address, true);
  }

  u32(address: number): number {
    return this.view.getUint32(address, true);
  }

  setU16(address: number, value: number): void {
    this.view.setUint16(address, value, true);
  }

  setU32(address: number, value: number): void {
    this.view.setUint32(address, value, true);
  }

  isLeaf(node: number): boolean {
    return this.bytes[node + 1] === 0;
  }

  count(node: number): number {
    return this.u16(node + 2);
  }

  cell(node: number, index: number): number {
    return node + this.u16(node + HEADER + index * SLOT + 4);
  }

  prefix(node: number, nodeBytes: number): Uint8Array {
    const length = this.u16(node + 20);
    return this.bytes.slice(node + nodeBytes - length, node + nodeBytes);
  }

  /** What an entry's key has behind the prefix: the head's bytes, then those in the cell. */
  suffix(node: number, index: number): Uint8Array {
    const slot = node + HEADER + index * SLOT;
    const suffix = new Uint8Array(this.u16(slot + 6));
    const head = (this.u32(slot) ^ SIGN) >>> 0;
    for (let at = 0; at < Math.min(suffix.length, HEAD); at++) {
      suffix[at] = head >>> (24 - 8 * at);
    }
    if (suffix.length <= HEAD) return suffix;
    const rest = this.cell(node, index) + this.fixedBytes(node);
    suffix.set(this.bytes.subarray(rest, rest + suffix.length - HEAD), HEAD);
    return suffix;
  }

  key(node: number, nodeBytes: number, index: number): Uint8Array {
    const prefix = this.prefix(node, nodeBytes);
    const suffix = this.suffix(node, index);
    const key = new Uint8Array(prefix.length + suffix.length);
    key.set(prefix);
    key.set(suffix, prefix.length);
    return key;
  }

  fixedBytes(node: number): number {
    return this.isLeaf(node) ? LEAF_CELL : BRANCH_CELL;
  }

  /** Bytes of a cell. */
  cellBytes(node: number, index: number): number {
    const suffix = this.u16(node + HEADER + index * SLOT + 6);
    const value = this.isLeaf(node) ? this.u16(this.cell(node, index)) : 0;
    return this.fixedBytes(node) + Math.max(0, suffix - HEAD) + value;
  }

  /** Writes an entry's slot, and what of its suffix is in the cell at `heap`. */
  writeKey(node: number, index: number, suffix: Uint8Array, heap: number): void {
    const slot = node + HEADER + index * SLOT;
    let head = 0;
    for (let at = 0; at < HEAD; at++) head = head * 256 + (suffix[at] ?? 0);
    this.setU32(slot, (head ^ SIGN) >>> 0);
    this.setU16(slot + 4, heap);
    this.setU16(slot + 6, suffix.length);
    this.bytes.set(suffix.subarray(HEAD), node + heap + this.fixedBytes(node));
  }
}

export class ScalarNodes extends PlainNodes implements NodeKernels {
  findKey(node: number, nodeBytes: number, key: number, end: number): number {
    const wanted = this.bytes.slice(key, end);
    let low = 0;
    let high = this.count(node);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compare(wanted, this.key(node, nodeBytes, middle));
      if (order === 0) return middle;
      if (order > 0) low = middle + 1;
      else high = middle;
    }
    return ~low;
  }

  /** The address of the frame that holds the page of a pointer, 0 when none does. */
  protected lookup(walk: number, step: number): number {
    const [table, mask, records, frames, pageSize, , mark] = [0, 4, 8, 12, 16, 20, 24].map((at) =>
      this.u32(walk + at),
    ) as [number, number, number, number, number, number, number];
    const hash = Math.imul(this.u32(step), HASH_FACTOR) >>> 0;
    const first = (hash >>> 4) & mask;
    for (const bucket of [first, first ^ 1]) {
      for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
        const entry = this.u32(table + (bucket * BUCKET_SLOTS + slot) * 4);
        const frame = (entry & FRAME_MASK) - 1;
        if (entry >>> 20 !== hash >>> 20 || frame < 0) continue;
        const record = records + frame * RECORD_BYTES;
        if ([0, 4, 8].some((at) => this.u32(record + 4 + at) !== this.u32(step + at))) continue;
        if (this.u32(record + 20) !== mark) continue;
        this.setU32(record + 16, 1);
        return frames + frame * pageSize;
      }
    }
    return 0;
  }

  descend(walk: number, from: number, known: number, key: number, end: number): number {
    const nodeBytes = this.u32(walk + 20);
    let node = known;
    for (let level = from; ; level--) {
      const step = walk + WALK_STEPS + level * STEP;
      if (node === 0) node = this.lookup(walk, step);
      if (node === 0 || this.bytes[node + 1] !== level) return level;
      this.setU32(step + 12, node);
      const found = this.findKey(node, nodeBytes, key, end);
      if (level === 0) {
        this.setU32(step + 16, found);
        return -1;
      }
      const child = found >= 0 ? found : Math.max(0, ~found - 1);
      this.setU32(step + 16, child);
      const cell = this.cell(node, child);
      this.bytes.copyWithin(step - STEP, cell, cell + 12);
      node = 0;
    }
  }

  addToCounts(walk: number, from: number, root: number, difference: number): void {
    for (let level = from; level <= root; level++) {
      const step = walk + WALK_STEPS + level * STEP;
      const at = this.cell(this.u32(step + 12), this.u32(step + 16)) + 12;
      const count = this.u32(at) + this.u16(at + 4) * TWO_POW_32 + difference;
      this.setU32(at, count % TWO_POW_32);
      this.setU16(at + 4, Math.floor(count / TWO_POW_32));
    }
  }

  compactNode(node: number, nodeBytes: number): void {
    const count = this.count(node);
    const cells = Array.from({ length: count }, (_, index) => {
      const cell = this.cell(node, index);
      return this.bytes.slice(cell, cell + this.cellBytes(node, index));
    });
    let heap = nodeBytes - this.u16(node + 20);
    cells.forEach((cell, index) => {
      heap -= cell.length;
      this.bytes.set(cell, node + heap);
      this.setU16(node + HEADER + index * SLOT + 4, heap);
    });
    this.setU32(node + 24, heap);
    this.setU32(node + 28, 0);
  }

  insertEntry(
    node: number,
    nodeBytes: number,
    index: number,
    key: number,
    end: number,
    valueLength: number,
  ): number {
    const prefix = this.prefix(node, nodeBytes);
    if (compare(this.bytes.slice(key, Math.min(end, key + prefix.length)), prefix) !== 0) return 0;
    const suffix = this.bytes.slice(key + prefix.length, end);
    const value = this.isLeaf(node) ? valueLength : 0;
    const size = this.fixedBytes(node) + Math.max(0, suffix.length - HEAD) + value;
    const count = this.count(node);
    const free = this.u32(node + 24) - HEADER - count * SLOT;
    if (free + this.u32(node + 28) < size + SLOT) return 0;
    if (free < size + SLOT) this.compactNode(node, nodeBytes);
    const slot = node + HEADER + index * SLOT;
    this.bytes.copyWithin(slot + SLOT, slot, node + HEADER + count * SLOT);
    const heap = this.u32(node + 24) - size;
    this.setU32(node + 24, heap);
    this.setU16(node + 2, count + 1);
    this.writeKey(node, index, suffix, heap);
    if (!this.isLeaf(node)) return node + heap;
    this.setU16(node + heap, valueLength);
    return node + heap + size - valueLength;
  }

  removeEntry(node: number, index: number): void {
    const count = this.count(node);
    this.setU32(node + 28, this.u32(node + 28) + this.cellBytes(node, index));
    const slot = node + HEADER + index * SLOT;
    this.bytes.copyWithin(slot, slot + SLOT, node + HEADER + count * SLOT);
    this.setU16(node + 2, count - 1);
  }

  copyKeys(
    node: number,
    nodeBytes: number,
    from: number,
    step: number,
    count: number,
    out: number,
    limit: number,
    lengths: number,
  ): number {
    let isAscii = true;
    let end = out;
    let written = 0;
    for (; written < count; written++) {
      const key = this.key(node, nodeBytes, from + written * step);
      if (end + key.length + 8 > limit) break;
      this.bytes.set(key, end);
      this.setU32(lengths + 4 * written, key.length);
      isAscii &&= key.every((byte) => byte < 128);
      end += key.length;
    }
    this.setU32(lengths + 4 * written, isAscii ? 0 : 1);
    return written;
  }
}
