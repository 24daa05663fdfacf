/**
 * A disk that remembers every write and sync, so that any moment of its life can be had again with
 * what was not synced lost, torn or reordered.
 */
import type { StorageFile } from '../../dist/shared/pages/storage.js';

/** What happened to the disk, in order. */
export type DiskEvent =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'sync' }
  /** The engine acknowledged a state: the caller was told. */
  | { readonly kind: 'acknowledge'; readonly state: number }
  /** The engine promised that this state survives a power cut. */
  | { readonly kind: 'promise'; readonly state: number };

const SECTOR_BYTES = 512;

/** How much of what was not synced survives a crash. */
export type CrashKind = 'nothing' | 'everything' | 'the last' | 'all but the last' | 'torn';
export const CRASH_KINDS: readonly CrashKind[] = [
  'nothing',
  'everything',
  'the last',
  'all but the last',
  'torn',
];

/** The content of a file; grows as it is written. */
export class Content {
  bytes: Uint8Array;
  size: number;
  constructor(bytes: Uint8Array, size: number) {
    this.bytes = bytes;
    this.size = size;
  }
  copy(): Content {
    return new Content(this.bytes.slice(), this.size);
  }
  write(source: Uint8Array, offset: number): void {
    const end = offset + source.length;
    if (end > this.bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.bytes.length * 2));
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes.set(source, offset);
    this.size = Math.max(this.size, end);
  }
}

export class SimulatedFile implements StorageFile {
  readonly content: Content;
  readonly events: DiskEvent[] = [];
  /** Bytes that fit the disk; a write beyond is short, as a real one. */
  capacity = Number.POSITIVE_INFINITY;
  /** How many bytes of a write the disk takes. */
  takes: (length: number) => number = (length) => length;
  /** Called before each event; throws what the system would. */
  beforeEvent: (kind: 'write' | 'sync') => void = () => undefined;

  constructor(content: Content) {
    this.content = content;
  }

  read(target: Uint8Array, targetOffset: number, length: number, offset: number): number {
    const count = Math.max(0, Math.min(length, this.content.size - offset));
    target.set(this.content.bytes.subarray(offset, offset + count), targetOffset);
    return count;
  }

  write(source: Uint8Array, sourceOffset: number, length: number, offset: number): number {
    this.beforeEvent('write');
    const taken = Math.max(0, Math.min(this.takes(length), this.capacity - offset));
    const bytes = source.slice(sourceOffset, sourceOffset + taken);
    this.events.push({ kind: 'write', offset, bytes });
    this.content.write(bytes, offset);
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
    return this.content.size;
  }

  datasync(): void {
    this.beforeEvent('sync');
    this.events.push({ kind: 'sync' });
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

/** The disk as it is found after a crash. */
export interface CrashedDisk {
  readonly content: Content;
  /** The newest state that had been acknowledged. */
  readonly acknowledged: number;
  /** The newest state that was promised to survive a power cut. */
  readonly promised: number;
}

/** Walks through the events and gives the disk after each of them, for each kind of crash. */
export function* crashes(
  start: Content,
  events: readonly DiskEvent[],
  random: () => number,
  kinds: readonly CrashKind[] = CRASH_KINDS,
): Generator<CrashedDisk & { readonly kind: CrashKind; readonly event: number }> {
  const durable = start.copy();
  let pending: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  let acknowledged = 0;
  let promised = 0;
  for (const [event, happened] of events.entries()) {
    if (happened.kind === 'write') pending.push(happened);
    else if (happened.kind === 'acknowledge') acknowledged = happened.state;
    else if (happened.kind === 'promise') promised = happened.state;
    else {
      for (const { offset, bytes } of pending) durable.write(bytes, offset);
      pending = [];
    }
    for (const kind of kinds) {
      const content = durable.copy();
      for (const { offset, bytes } of survivors(pending, kind, random))
        content.write(bytes, offset);
      yield { content, acknowledged, promised, kind, event };
    }
  }
}

interface PendingWrite {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

function survivors(
  pending: readonly PendingWrite[],
  kind: CrashKind,
  random: () => number,
): readonly PendingWrite[] {
  switch (kind) {
    case 'nothing':
      return [];
    case 'everything':
      return pending;
    case 'the last':
      return pending.slice(-1);
    case 'all but the last':
      return pending.slice(0, -1);
    default:
      return pending.flatMap((write) => tear(write, random));
  }
}

/** Any sectors of a write may have reached the disk, whatever became of the others. */
function tear({ offset, bytes }: PendingWrite, random: () => number): PendingWrite[] {
  const share = random();
  const parts: PendingWrite[] = [];
  for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
    if (random() > share) continue;
    parts.push({ offset: offset + at, bytes: bytes.subarray(at, at + SECTOR_BYTES) });
  }
  return parts;
}
