/**
 * The writer's own corner of the shared memory: where keys, records and copies of nodes lie while
 * the kernels work on them.
 *
 *   offset   size      what
 *        0   160 KiB   the run: references to entries, 8 bytes each
 *   160 KiB   64 KiB   copy of a node that is dealt out anew
 *   224 KiB   64 KiB   copy of its neighbour
 *   288 KiB   64 KiB   spare: a page, or two keys
 *   352 KiB   64 KiB   a record
 *   416 KiB    4 KiB   the key that is being written
 *   420 KiB    4 KiB   the key of a new child
 *   424 KiB    1 KiB   the walk to the key
 *   425 KiB    3 KiB   walks to the right edges of trees, and a key that is appended there
 *   428 KiB    4 KiB   the walk to a new child's parent
 *   432 KiB    4 KiB   the entry that is being inserted (assembly/run.ts), borders of shares
 */
import { WORKSPACE_ADDRESS } from '../../shared/memory/shared-memory.js';

const KIB = 1024;

export const RUN = WORKSPACE_ADDRESS;
export const OWN_COPY = RUN + 160 * KIB;
export const NEIGHBOUR_COPY = OWN_COPY + 64 * KIB;
export const SPARE = NEIGHBOUR_COPY + 64 * KIB;
export const RECORD = SPARE + 64 * KIB;
export const KEY = RECORD + 64 * KIB;
export const CHILD_KEY = KEY + 4 * KIB;
export const WALK = CHILD_KEY + 4 * KIB;
export const EDGE_WALKS = [WALK + KIB, WALK + 2 * KIB] as const;
export const EDGE_KEY = WALK + 3 * KIB;
export const CHILD_WALK = WALK + 4 * KIB;
export const FRESH = CHILD_WALK + 4 * KIB;
export const BORDERS = FRESH + 2 * KIB;
