/**
 * A file on a simulated disk: it remembers every write and sync, fails on demand, and reads what
 * the system would have in memory.
 */
import type { StorageFile } from '../../dist/shared/pages/storage.js';
import type { DiskImage } from './disk-image.js';

/** Bytes on their way to the disk. */
export interface DiskWrite {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** What happened to the disk, in order. */
export type DiskEvent =
  | ({ readonly kind: 'write' } & DiskWrite)
  | { readonly kind: 'sync' }
  /** The engine acknowledged a state: the caller was told. */
  | { readonly kind: 'acknowledge'; readonly state: number }
  /** The engine promised that this state survives a power cut. */
  | { readonly kind: 'promise'; readonly state: number };

/** What a sync that fails does to what was written since the last one. */
export type SyncFault =
  /** It is not on the disk, and the system forgets it: reads see what was there before. */
  | 'drops'
  /** It is not on the disk, and the system takes it for clean: reads see it, no sync helps. */
  | 'marks clean';

export class SimulatedFile implements StorageFile {
  readonly image: DiskImage;
  readonly events: DiskEvent[] = [];
  /** Bytes that fit the disk; a write beyond is short, as a real one. */
  capacity = Number.POSITIVE_INFINITY;
  /** How many bytes of a write the disk takes. */
  takes: (length: number) => number = (length) => length;
  /** Called before each event; throws what the system would. */
  beforeEvent: (kind: 'write' | 'sync') => void = () => undefined;
  /** Called before each read: how many of its bytes are given; throws what the system would. */
  gives: (length: number) => number = (length) => length;
  /** What is wrong with the sync that comes next, if anything. */
  syncFault: () => SyncFault | undefined = () => undefined;
  /** Written since the last sync, oldest first. */
  #unsynced: DiskWrite[] = [];
  /** What the system takes for clean although the disk does not have it. */
  #lost: DiskWrite[] = [];
  /** What the image has of all that was written. */
  #kept: DiskWrite[] = [];
  readonly #start: number;

  constructor(image: DiskImage) {
    this.image = image;
    this.#start = image.mark();
  }

  read(target: Uint8Array, targetOffset: number, length: number, offset: number): number {
    const given = Math.min(this.gives(length), length, this.image.size - offset);
    const count = Math.max(0, given);
    target.set(this.image.bytes.subarray(offset, offset + count), targetOffset);
    return count;
  }

  write(source: Uint8Array, sourceOffset: number, length: number, offset: number): number {
    this.beforeEvent('write');
    const taken = Math.max(0, Math.min(this.takes(length), this.capacity - offset));
    const bytes = source.slice(sourceOffset, sourceOffset + taken);
    const write = { kind: 'write', offset, bytes } as const;
    this.events.push(write);
    this.#unsynced.push(write);
    this.#kept.push(write);
    this.image.write(bytes, offset);
    return taken;
  }

  writeMany(sources: readonly Uint8Array[], offset: number): number {
    let done = 0;
    for (const source of sources) {
      const taken = this.write(source, 0, source.length, offset + done);
      done += taken;
      if (taken < source.length) break;
    }
    return done;
  }

  size(): number {
    return this.image.size;
  }

  datasync(): void {
    this.beforeEvent('sync');
    const fault = this.syncFault();
    if (fault === undefined) {
      this.events.push({ kind: 'sync' });
      this.#unsynced = [];
      return;
    }
    const dropped = this.#unsynced;
    this.#unsynced = [];
    if (fault === 'drops') this.#forget(dropped);
    else this.#lost.push(...dropped);
    throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'fdatasync' });
  }

  /** The image without some of the writes. */
  #forget(gone: readonly DiskWrite[]): void {
    const { image } = this;
    const { size } = image;
    const isGone = new Set(gone);
    this.#kept = this.#kept.filter((write) => !isGone.has(write));
    image.rollBack(this.#start);
    for (const { bytes, offset } of this.#kept) image.write(bytes, offset);
    // Zeros are read where a file has become longer without what was written there.
    if (image.size < size) image.write(new Uint8Array(size - image.size), image.size);
  }

  /** Leaves what the disk surely has, no more and no less. */
  cutPower(): void {
    this.#forget([...this.#unsynced, ...this.#lost]);
    this.#unsynced = [];
    this.#lost = [];
  }

  close(): void {
    this.events.push({ kind: 'sync' }); // only so that nothing is pending on a file that is closed
  }

  acknowledge(state: number): void {
    this.events.push({ kind: 'acknowledge', state });
  }

  promise(state: number): void {
    this.events.push({ kind: 'promise', state });
  }
}
