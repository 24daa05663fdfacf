/** What the compiled module exports. */
export { copyBytes, hash64 } from './checksum';
export {
  addToCounts,
  compactNode,
  copyKeys,
  descend,
  findKey,
  insertEntry,
  removeEntry,
} from './node';
export {
  appendEntries,
  dealRun,
  runBytes,
  runChildCount,
  runSeparator,
  writeRun,
} from './run';
export { addPostings, probePostings } from './text';
export { forgetSeen, keepSeen, pruneHits, takeHits } from './text-hits';
export { judgeParts, scanLeaf, scanLeaves } from './vector';
