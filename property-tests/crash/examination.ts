/**
 * What is asked of a disk that is found after a crash: it opens, holds exactly one committed state,
 * its file is sound, and the next commit is there after another power cut.
 */
import { expect } from 'vitest';
import type { CrashedDisk } from './crash-states.js';
import type { DiskImage } from './disk-image.js';
import { contentLine, EngineRun } from './engine-run.js';
import { type DiskEvent, SimulatedFile } from './simulated-disk.js';

const KEYSPACE = 'z';
const DEADLINE = 7;
const AFTER_POWER_CUT = new Uint8Array(16).fill(3);

/** What was found on a disk, and what its recovery did to it. */
export interface Recovery {
  readonly content: string;
  /** With the commit that was made after. */
  readonly contentAfter: string;
  /** Extents that the free state was in. */
  readonly extentCount: number;
  /** Writes and syncs of the recovery and of that commit. */
  readonly events: readonly DiskEvent[];
}

/** Opens what a crash left, reads it, and goes on working. The image is as it was at the end. */
export function recover(image: DiskImage, bootId: Uint8Array): Recovery {
  const mark = image.mark();
  const recovery = goOn(new SimulatedFile(image), bootId);
  image.rollBack(mark);
  return recovery;
}

/**
 * Opens a file that the system still knows, with whatever it has not written of it, and commits;
 * that commit is there after a power cut.
 */
export function goOn(file: SimulatedFile, bootId: Uint8Array): Recovery {
  const run = new EngineRun(file, 'full', bootId);
  const { length: extentCount } = run.engine.freeExtents;
  const content = run.content();
  expectSound(run);
  const value = `after ${content.length}`;
  run.engine.begin();
  run.set('key', value, DEADLINE, KEYSPACE);
  run.commit();
  file.acknowledge(1);
  file.cutPower();
  const again = new EngineRun(file.image, 'full', AFTER_POWER_CUT);
  const contentAfter = again.content();
  const expected = withLast(content, contentLine(KEYSPACE, 'key', DEADLINE, value));
  if (contentAfter !== expected) expect(contentAfter).toBe(expected);
  expectSound(again);
  return { content, contentAfter, extentCount, events: file.events };
}

/** `expect` costs as much as a look at the file, so it is only asked when there is a problem. */
export function expectSound(run: EngineRun): void {
  const problems = run.problems();
  if (problems.length > 0) expect(problems).toEqual([]);
}

/** A content with another line for the keyspace that comes behind those of the histories. */
function withLast(content: string, line: string): string {
  const at = content.lastIndexOf(`${KEYSPACE} key `);
  const before = at < 0 ? content : content.slice(0, Math.max(0, at - 1));
  return before === '' ? line : `${before}\n${line}`;
}

/** Opens what a crash left and reads it; returns its content. The image is as it was at the end. */
export function inspect(image: DiskImage, bootId: Uint8Array): string {
  const mark = image.mark();
  const run = new EngineRun(image, 'full', bootId);
  const content = run.content();
  expectSound(run);
  image.rollBack(mark);
  return content;
}

/** Examines each content once, however many crashes lead to it, and counts both. */
export class Examiner {
  /** Crashes whose disk was compared with what it may hold. */
  states = 0;
  /** Contents that were opened, read and proved. */
  distinct = 0;
  /** Extents that the free state was in at most. */
  extentsMax = 0;
  readonly #found = new Map<string, string>();
  readonly #image: DiskImage;
  readonly #bootId: Uint8Array;

  constructor(image: DiskImage, bootId: Uint8Array) {
    this.#image = image;
    this.#bootId = bootId;
  }

  /**
   * Fails unless the disk holds one of `allowed`, and can be written to. Returns what was done with
   * a content that was not known before.
   */
  examine(disk: CrashedDisk, allowed: readonly string[]): Recovery | undefined {
    if (this.#isKnown(disk, allowed)) return undefined;
    const recovery = recover(this.#image, this.#bootId);
    this.#note(disk, recovery.content, allowed);
    this.extentsMax = Math.max(this.extentsMax, recovery.extentCount);
    return recovery;
  }

  /** The same without a commit after. */
  inspect(disk: CrashedDisk, allowed: readonly string[]): void {
    if (this.#isKnown(disk, allowed)) return;
    this.#note(disk, inspect(this.#image, this.#bootId), allowed);
  }

  #isKnown(disk: CrashedDisk, allowed: readonly string[]): boolean {
    this.states++;
    const found = this.#found.get(disk.content);
    if (found !== undefined) expectAllowed(found, allowed);
    return found !== undefined;
  }

  #note(disk: CrashedDisk, found: string, allowed: readonly string[]): void {
    this.distinct++;
    this.#found.set(disk.content, expectAllowed(found, allowed));
  }
}

/** Returns the equal one of those allowed, so that each is kept once. */
function expectAllowed(found: string, allowed: readonly string[]): string {
  const same = allowed.find((each) => each === found);
  if (same === undefined) expect(allowed).toContain(found);
  return same ?? found;
}
