/** Rules of pages, their reuse, trees and keyspaces. */

const TREE = ['property-tests/tree', 'property-tests/keyspace-model'];
const FREE = ['property-tests/crash/free-log', 'property-tests/crash/crash'];

/** @type {readonly import('./mutants.mjs').Mutant[]} */
export const PAGE_MUTANTS = [
  {
    rule: 'the checksum of a page is compared with its pointer',
    file: 'shared/pages/page-source.ts',
    find: 'if (checksummer.low !== low || checksummer.high !== high) ',
    replace: 'if (checksummer.low === 0.5) ',
    suites: ['property-tests/crash/bit-rot', 'test/api/damage'],
  },
  {
    rule: 'the checksum of an extent is compared with its pointer',
    file: 'shared/pages/overflow-page.ts',
    find: "throw new PageMismatch(pointer.pageId, 'the checksum differs');",
    replace: '',
    suites: ['property-tests/crash/bit-rot', 'test/api/damage'],
  },
  {
    rule: 'a page that has been read is checked to be a node of its level',
    file: 'shared/pages/page-source.ts',
    find: 'return broken ?? this.#parts.check(memory, address, pageId, level);',
    replace: 'return broken;',
    suites: ['property-tests/damage/damage'],
  },
  {
    rule: 'nothing is appended to a page that is final',
    file: 'writer/tree/right-edge.ts',
    find: 'return tree.pageId === pageId && tree.low === low && tree.high === high;',
    replace: 'return true;',
    suites: TREE,
  },
  {
    rule: 'the edge of a tree that is changed elsewhere is forgotten',
    file: 'writer/tree/tree-writer.ts',
    find: 'if (edge.tree === tree) edge.forget();',
    replace: '',
    suites: TREE,
  },
  {
    rule: 'a page may be reused only when no protected state sees it',
    file: 'writer/pages/free-list.ts',
    find: 'if (seenBy < run.birth) {',
    replace: 'if (seenBy <= run.birth) {',
    suites: FREE,
  },
  {
    rule: 'a page freed by a commit is seen by the state before it',
    file: 'writer/pages/free-list.ts',
    find: 'if (state >= run.freedBy) break;',
    replace: 'if (state + 1 >= run.freedBy) break;',
    suites: FREE,
  },
  {
    rule: 'the free state tells what was taken since the last meta',
    file: 'writer/pages/free-log.ts',
    find: 'if (pageId < this.#pageCount) pushRun(taken, pageId, length);',
    replace: '',
    suites: FREE,
  },
  {
    rule: 'rolling back to a savepoint takes up again what was freed since',
    file: 'writer/pages/dirty-pages.ts',
    find: 'if (revived !== undefined) revived.isLive = true;',
    replace: '',
    suites: ['property-tests/crash/free-log', ...TREE],
  },
  {
    rule: 'a page that a savepoint can see is copied before it changes',
    file: 'writer/pages/dirty-pages.ts',
    find: 'return taken.generation >= this.#freezeGeneration;',
    replace: 'return taken.generation > 0;',
    suites: ['test/api/batches', 'property-tests/keyspace-model'],
  },
  {
    rule: 'every branch counts the entries below it',
    file: 'writer/tree/tree-writer.ts',
    find: 'path.addToCounts(tree, 1, -1);',
    replace: '',
    suites: TREE,
  },
  {
    rule: 'the expiry index follows the values',
    file: 'writer/keyspaces/values.ts',
    find: '    this.#replaceDeadline(keyspace, key, old.deadline, 0);\n    return old.visible;',
    replace: '    return old.visible;',
    suites: ['test/api/expiry', 'property-tests/keyspace-model'],
  },
  {
    rule: 'the extents of a value that goes are freed',
    file: 'writer/keyspaces/values.ts',
    find: '    if (!old.found) return false;\n    this.#freeOldExtents(keyspace);',
    replace: '    if (!old.found) return false;',
    suites: ['property-tests/crash/free-log', 'test/api/values', 'property-tests/keyspace-model'],
  },
  {
    rule: 'a frame is valid only if page id and checksum agree',
    file: 'shared/memory/page-cache.ts',
    find: ' || i32[record + LOW] !== low) continue;\n        if (i32[record + HIGH] !== high || ',
    replace: ') continue;\n        if (',
    suites: ['test/api/handles'],
  },
  {
    rule: 'a frame is filled anew once every thread has begun anew',
    file: 'shared/memory/thread-slots.ts',
    find: 'if (running !== 0 && ((running - epoch) | 0) <= 0) return false;',
    replace: 'if (running === 1) return false;',
    suites: ['test/memory/epochs'],
  },
  {
    rule: 'what was freed since a savepoint is not freed after its rollback',
    file: 'writer/pages/dirty-pages.ts',
    find: 'this.#forgetFreed(mark.freedCount)',
    replace: 'this.freed.slice(mark.freedCount)',
    suites: ['property-tests/crash/free-log', ...TREE],
  },
  {
    rule: 'each meta tells what was freed since the one before',
    file: 'writer/pages/free-log.ts',
    find: `for (const { start, length } of pages.freed) pushRun(freed, start, length);
    free.free.forEachRun`,
    replace: 'free.free.forEachRun',
    suites: FREE,
  },
  {
    rule: 'counts follow when nodes are joined',
    file: 'writer/tree/rebalance.ts',
    find: 'path.addToCounts(tree, level + 2, firstSum - before);',
    replace: '',
    suites: TREE,
  },
  {
    rule: 'a separator is above all keys to its left',
    file: 'writer/tree/rebalance.ts',
    find: 'key: run.separator(from), page',
    replace: 'key: run.separator(Math.max(1, from - 1)), page',
    suites: TREE,
  },
  {
    rule: 'a range whose values may have extents is read before it is freed',
    file: 'writer/keyspaces/values.ts',
    find: 'const mustLook = expiry.count > 0 || record.overflowPages > 0;',
    replace: 'const mustLook = expiry.count > 0;',
    suites: TREE,
  },
];
