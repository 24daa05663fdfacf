/**
 * Every state in which a crash can leave a disk: after each write, sync and acknowledgement of a
 * run, with what was not synced lost, kept in part, torn or reordered.
 */
import { ContentSum, type Survivor } from './content-sum.js';
import { type DiskImage, SECTOR_BYTES } from './disk-image.js';
import type { DiskEvent } from './simulated-disk.js';

/** A disk as it is found after a crash; good until the next one is asked for. */
export interface CrashedDisk {
  /** The newest state that had been acknowledged. */
  readonly acknowledged: number;
  /** The newest state that was promised to survive a power cut. */
  readonly promised: number;
  /** Equal for equal contents of one walk, and of walks that begin with the same disk. */
  readonly content: string;
  readonly kind: CrashKind;
  readonly event: number;
}

/** How much of what was not synced survives a crash. */
export type CrashKind =
  | 'nothing'
  | 'everything'
  | 'the last'
  | 'all but the last'
  /** The last write lacks its last sector. */
  | 'all but the end'
  /** Some sectors of each write. */
  | 'torn'
  /** A disk may write any of them last. */
  | 'all but one'
  /** Some of the writes, each whole, in any order. */
  | 'shuffled';

/** What becomes of what the system had in memory. */
export interface CrashOptions {
  readonly random: () => number;
  /** Tries of each kind that chance has a part in. */
  readonly chances?: number;
  /** A kill leaves what the system has in memory; a power cut only what the disk has. */
  readonly isKill?: boolean;
  /** Crashes before this event are not asked for. */
  readonly from?: number;
}

/**
 * Walks through the events that followed on the state of `image` and makes it, for each crash after
 * each of them, what a machine finds that starts again. At the end the image is as it was.
 */
export function forEachCrash(
  image: DiskImage,
  events: readonly DiskEvent[],
  options: CrashOptions,
  visit: (disk: CrashedDisk) => void,
): void {
  const start = image.mark();
  const sum = new ContentSum(image);
  let pending: Survivor[] = [];
  let [acknowledged, promised] = [0, 0];
  const from = options.from ?? 0;
  for (const [event, happened] of events.entries()) {
    if (happened.kind === 'write') pending.push({ ...happened, whole: happened });
    else if (happened.kind === 'acknowledge') acknowledged = happened.state;
    else if (happened.kind === 'promise') promised = happened.state;
    else {
      for (const { offset, bytes } of pending) image.write(bytes, offset);
      sum.settle(pending);
      pending = [];
    }
    if (event < from) continue;
    for (const { kind, writes } of survivals(pending, options)) {
      const mark = image.mark();
      for (const { offset, bytes } of writes) image.write(bytes, offset);
      visit({ acknowledged, promised, content: sum.of(writes), kind, event });
      image.rollBack(mark);
    }
  }
  image.rollBack(start);
}

interface Survival {
  readonly kind: CrashKind;
  readonly writes: readonly Survivor[];
}

/** No two of those that chance has no part in are the same. */
function survivals(pending: readonly Survivor[], options: CrashOptions): Survival[] {
  if (options.isKill === true) return [{ kind: 'everything', writes: pending }];
  const found: Survival[] = [{ kind: 'nothing', writes: [] }];
  if (pending.length === 0) return found;
  found.push({ kind: 'everything', writes: pending });
  if (pending.length > 1) {
    found.push({ kind: 'the last', writes: pending.slice(-1) });
    found.push({ kind: 'all but the last', writes: pending.slice(0, -1) });
  }
  const last = pending.at(-1) as Survivor;
  if (last.bytes.length > SECTOR_BYTES) {
    found.push({ kind: 'all but the end', writes: [...pending.slice(0, -1), withoutEnd(last)] });
  }
  const { random, chances = 1 } = options;
  for (let chance = 0; chance < chances; chance++) {
    found.push({ kind: 'torn', writes: pending.flatMap((write) => tear(write, random)) });
    if (pending.length <= 2) continue;
    const lost = Math.floor(random() * pending.length);
    found.push({ kind: 'all but one', writes: pending.filter((_, index) => index !== lost) });
    found.push({ kind: 'shuffled', writes: shuffle(pending, random) });
  }
  return found;
}

function withoutEnd({ offset, bytes, whole }: Survivor): Survivor {
  const length = (Math.ceil(bytes.length / SECTOR_BYTES) - 1) * SECTOR_BYTES;
  return { offset, bytes: bytes.subarray(0, length), whole };
}

/** Any sectors of a write may have reached the disk, whatever became of the others. */
function tear({ offset, bytes, whole }: Survivor, random: () => number): Survivor[] {
  const share = random();
  const parts: Survivor[] = [];
  let start = -1;
  for (let at = 0; at <= bytes.length; at += SECTOR_BYTES) {
    const survives = at < bytes.length && random() < share;
    if (survives && start < 0) start = at;
    if (survives || start < 0) continue;
    parts.push({ offset: offset + start, bytes: bytes.subarray(start, at), whole });
    start = -1;
  }
  if (start >= 0) parts.push({ offset: offset + start, bytes: bytes.subarray(start), whole });
  return parts;
}

function shuffle(pending: readonly Survivor[], random: () => number): Survivor[] {
  const chosen = pending.filter(() => random() < 0.6);
  for (let index = chosen.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    const moved = chosen[index] as Survivor;
    chosen[index] = chosen[other] as Survivor;
    chosen[other] = moved;
  }
  return chosen;
}

/** A generator of numbers in [0, 1) that a seed repeats (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
