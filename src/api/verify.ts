/**
 * Proving a database: a walk of the calling thread over one state, which others may leave behind
 * meanwhile.
 */
import { FileChecker } from '../shared/keyspaces/check-keyspace.js';
import * as messages from '../shared/memory/messages.js';
import type { PinnedState } from '../shared/memory/snapshot-pins.js';
import type { Core } from './core.js';

/** Between two calls of a progress callback. */
const PAGES_PER_PROGRESS = 64;

/** How far long work has come. */
export interface Progress {
  done: number;
  total: number;
  /** What is being done, such as 'copy', 'verify' or 'index'. */
  phase: string;
}

/** What a walk over all pages found. */
export interface VerifyReport {
  /** True when there are no problems. */
  ok: boolean;
  pagesChecked: number;
  /** What is wrong, page by page. */
  problems: { page: number; keyspace?: string; message: string }[];
}

/** Pages that no tree has in the state that is checked. */
interface UnusedRun {
  readonly start: number;
  readonly length: number;
  readonly owner: string;
}

/** A state that is kept for the check; `unused` where somebody knows which pages are. */
interface CheckedState {
  readonly pinned: PinnedState;
  readonly unused?: readonly UnusedRun[];
}

/** What a callback threw, whatever it is: no failure to read, and nothing that the check found. */
class Interruption extends Error {}

/** Checks the newest state. `onProgress` may read, write and close; what it throws is thrown. */
export function verify(core: Core, onProgress?: (progress: Progress) => void): VerifyReport {
  const total = core.state().pageCount;
  const tell = (done: number) => {
    onProgress?.({ done: Math.min(done, total), total, phase: 'verify' });
    core.assertOpen();
  };
  tell(0);
  const state = core.options.readonly ? { pinned: core.pin() } : pinWithUnused(core);
  try {
    const report = core.readingPinned(() => check(core, state, tell));
    tell(total);
    return { ...report, problems: [...report.problems] };
  } catch (error) {
    throw error instanceof Interruption ? error.cause : error;
  } finally {
    if (core.isOpen) core.unpin(state.pinned);
  }
}

/** While a batch is open nobody commits: what is free then is so in the state that is pinned. */
function pinWithUnused(core: Core): CheckedState {
  let pinned: PinnedState | undefined;
  try {
    return core.transactions.run(() => {
      pinned = core.pin();
      return { pinned, unused: unusedRuns(core) };
    });
  } catch (error) {
    if (pinned !== undefined) core.unpin(pinned);
    throw error;
  }
}

function unusedRuns(core: Core): UnusedRun[] {
  const { writer, memory } = core;
  const runs: UnusedRun[] = [];
  for (;;) {
    writer.continueBatch(core.now());
    writer.reserve(0);
    writer.add({ code: messages.UNUSED, flags: 0, handle: 0, number: runs.length }, 0, 0);
    const word = writer.send() >>> 3;
    const count = writer.answerLength / messages.UNUSED_RUN_BYTES;
    if (count === 0) return runs;
    for (let index = 0; index < count; index++) {
      const [start = 0, length = 0, isLog = 0] = memory.f64.subarray(word + 3 * index);
      runs.push({ start, length, owner: isLog === 1 ? 'free log' : 'free list' });
    }
  }
}

function check(core: Core, { pinned, unused }: CheckedState, tell: (done: number) => void) {
  const { catalog, pageCount } = pinned.state;
  const checker = new FileChecker(core.source, pageCount, (done) => {
    if (done % PAGES_PER_PROGRESS !== 0 || done === 0) return;
    // No page is being looked at, and a write of who is told may need every frame.
    core.source.leave();
    try {
      tell(done);
    } catch (cause) {
      throw new Interruption('the check is over', { cause });
    }
    core.source.enter();
  });
  checker.checkTrees({ ...catalog, leafPages: -1, branchPages: -1 });
  // Without a writer nobody knows which pages are free; everything else is checked.
  if (unused === undefined) return checker.report();
  for (const { start, length, owner } of unused) checker.claimRun(start, length, owner);
  return checker.finish();
}
