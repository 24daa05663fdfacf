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
export {
  addPostings,
  forgetSeen,
  keepSeen,
  probePostings,
  pruneHits,
  takeHits,
} from './text';
export { judgeParts, scanLeaf, scanLeaves } from './vector';
