/**
 * Large pages of memory for the page cache, where the system has them: random reads of a full cache
 * are a tenth quicker. It takes koffi, so it is asked for by who has read for a while, and by large
 * searches; not by who writes, since a large page is zeroed as a whole when it is touched first.
 */
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import { systemCalls } from '../shared/pages/system-calls.js';

const advised = new WeakSet<SharedMemory>();

/** From here on, frames that are touched first lie in large pages. */
export function preferLargePages(memory: SharedMemory): void {
  if (advised.has(memory)) return;
  advised.add(memory);
  try {
    systemCalls()?.preferLargePages(memory.u8.subarray(memory.framesAddress));
  } catch {
    // No descriptors to load what gives the advice: all goes on without.
  }
}
