/** Rules of writing, syncing and recovering. */

const CRASH = ['property-tests/crash/crash', 'property-tests/crash/killed'];
const LARGE = ['property-tests/crash/large-commits'];
const FAULTS = ['property-tests/crash/faults', 'property-tests/crash/lying-disk'];

/** @type {readonly import('./mutants.mjs').Mutant[]} */
export const COMMIT_MUTANTS = [
  {
    rule: 'pages are synced before a meta that does not list them',
    file: 'writer/file-state.ts',
    find: 'if (!single) this.#syncOrGoBack(slot);',
    replace: '',
    suites: ['property-tests/crash/large-commits', ...CRASH],
  },
  {
    rule: 'a commit is synced after its meta',
    file: 'writer/file-state.ts',
    find: '    this.#syncOrGoBack(slot);\n    this.#becomeDurable(meta, slot);',
    replace: '    this.#becomeDurable(meta, slot);',
    suites: CRASH,
  },
  {
    rule: 'what a killed writer left is synced before it is built on',
    file: 'writer/file-state.ts',
    find: 'else if (durable === meta && !confirmed) this.writer.sync();',
    replace: '',
    suites: ['property-tests/crash/killed'],
  },
  {
    rule: 'a rejected meta is overwritten before anything else',
    file: 'writer/file-state.ts',
    find: 'if (rejectedOther) this.#overwriteRejected(meta, other(slot));',
    replace: 'if (rejectedOther) this.writer.sync();',
    suites: ['test/api/lost-page'],
  },
  {
    rule: 'a meta that replaces a rejected one has a higher epoch',
    file: 'writer/file-state.ts',
    find: 'metaEpoch: meta.metaEpoch + 1, newPages',
    replace: 'newPages',
    suites: ['test/api/lost-page'],
  },
  {
    rule: 'a meta never goes over the last durable one',
    file: 'writer/file-state.ts',
    find: '    const slot = other(this.#durableSlot);\n    if (!single)',
    replace: '    const slot = this.#durableSlot;\n    if (!single)',
    suites: CRASH,
  },
  {
    rule: 'a weak meta never goes over the last durable one',
    file: 'writer/file-state.ts',
    find: '    this.#writeMeta(meta, other(this.#durableSlot));\n    this.meta = meta;',
    replace: '    this.#writeMeta(meta, this.#durableSlot);\n    this.meta = meta;',
    suites: ['property-tests/crash/killed', 'property-tests/crash/crash'],
  },
  {
    rule: 'the old meta is written back when a sync fails',
    file: 'writer/file-state.ts',
    find: '      this.#writeBack(slot);\n',
    replace: '',
    suites: [...FAULTS, 'property-tests/crash/lost-weak'],
  },
  {
    rule: 'a failed sync is never tried again',
    file: 'writer/pages/page-file-writer.ts',
    find: 'this.#attempt(() => this.file.datasync());',
    replace: `try {
      this.file.datasync();
    } catch {
      this.#attempt(() => this.file.datasync());
    }`,
    suites: FAULTS,
  },
  {
    rule: 'the states that the metas lead back to are protected',
    file: 'writer/file-state.ts',
    find: 'new Set([...this.#durableStates, ...this.#writtenStates])',
    replace: 'new Set([this.meta.txnId])',
    suites: ['property-tests/crash/killed', 'property-tests/crash/crash'],
  },
  {
    rule: 'every write checks how much was taken',
    file: 'writer/pages/page-file-writer.ts',
    find: 'if (taken !== length) throw',
    replace: 'if (taken < 0) throw',
    suites: FAULTS,
  },
  {
    rule: 'the file grows before a commit begins to write',
    file: 'writer/commit.ts',
    find: `    files.writer.ensurePages(pages.pageCount);
    const live = this.#liveSealed();`,
    replace: '    const live = this.#liveSealed();',
    suites: ['property-tests/crash/dropped'],
  },
  {
    rule: 'recovery checks the pages that an unconfirmed meta lists',
    file: 'shared/pages/recovery.ts',
    find: 'meta.newPages.length === 0 || holdsNewPages(file, meta, scratch)',
    replace: 'true',
    suites: CRASH,
  },
  {
    rule: 'a weak meta counts only until the machine restarts',
    file: 'shared/pages/recovery.ts',
    find: 'return known && bootId.every((byte, index) => meta.bootId[index] === byte);',
    replace: 'return known;',
    suites: ['property-tests/crash/killed', 'property-tests/crash/crash'],
  },
  {
    rule: 'one sync vouches only for a change that is listed whole',
    file: 'writer/commit.ts',
    find: 'const single = !this.#spilled && files.isDurable',
    replace: 'const single = files.isDurable',
    suites: LARGE,
  },
  {
    rule: 'with one sync a commit starts from a state that is on the disk',
    file: 'writer/commit.ts',
    find: '!this.#spilled && files.isDurable(this.#engine.txnId)',
    replace: '!this.#spilled',
    suites: ['property-tests/crash/killed'],
  },
  {
    rule: 'what a weak meta names is not durable',
    file: 'shared/pages/recovery.ts',
    find: 'const durable = meta.weak && other !== undefined ? other : meta;',
    replace: 'const durable = meta;',
    suites: ['property-tests/crash/killed'],
  },
  {
    rule: 'a sync that fails when a turn begins is not repeated',
    file: 'writer/turn.ts',
    find: 'if (isFailedSync(error) || (',
    replace: 'if ((',
    suites: ['property-tests/crash/faults'],
  },
  {
    rule: 'a meta that was torn is not a state',
    file: 'shared/pages/recovery.ts',
    find: 'if (!holds) return damaged;',
    replace: '',
    suites: LARGE,
  },
  {
    rule: 'a file that ends before its last page is damage',
    file: 'shared/pages/recovery.ts',
    find: 'scratch.window, 1, lastByte) === 1)',
    replace: 'scratch.window, 1, lastByte) >= 0)',
    suites: ['test/api/damage'],
  },
];
