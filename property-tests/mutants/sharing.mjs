/** Rules between threads, openings and processes. */

const HANDLES = ['test/api/handles'];
const THREADS = ['test/api/threads'];

/** @type {readonly import('./mutants.mjs').Mutant[]} */
export const SHARING_MUTANTS = [
  {
    rule: 'whoever pins looks again whether the state is still the newest',
    file: 'api/pins.ts',
    find: 'if (this.#host.state() === state) return { state, pinIndex };',
    replace: 'return { state, pinIndex };',
    suites: ['test/api/moved-states'],
  },
  {
    rule: 'what others may see in the file is looked for there until it is published',
    file: 'writer/commit.ts',
    find: 'setWriterTurn(this.#engine.memory, false);',
    replace: '',
    suites: ['test/writer/turn'],
  },
  {
    rule: 'a pin in the making protects every state',
    file: 'shared/memory/snapshot-pins.ts',
    find: 'if (Atomics.load(memory.i32, at) === 0) continue;\n    const high',
    replace: 'if (Atomics.load(memory.i32, at + 1) === 0) continue;\n    const high',
    suites: ['test/memory/pins'],
  },
  {
    rule: 'a commit respects what other openings have pinned',
    file: 'writer/engine.ts',
    find: 'const others = this.#statesOfOthers();',
    replace: 'const others: readonly TxnId[] = [];',
    suites: HANDLES,
  },
  {
    rule: 'reads of a file that others write look at its meta first',
    file: 'api/core.ts',
    find: 'if (!watch.hasMoved()) return;',
    replace: 'return;',
    suites: HANDLES,
  },
  {
    rule: 'a read whose page was reused meanwhile is done again',
    file: 'api/core.ts',
    find: 'if (attempt === ATTEMPTS_MAX) throw corrupt(error);',
    replace: 'throw corrupt(error);',
    suites: ['test/api/moved-states'],
  },
  {
    rule: 'one writer at a time',
    file: 'writer/turn.ts',
    find: `    try {
      this.#waitFor('writer', deadline);`,
    replace: '    try {',
    suites: HANDLES,
  },
  {
    rule: 'a writer that has had its turn looks who else wants one',
    file: 'writer/turn.ts',
    find: "if (this.#options.locks.isLockedByOther('want')) this.giveBack();",
    replace: 'if (this.#isHeld) return;',
    suites: ['test/writer/turn'],
  },
  {
    rule: 'a turn begins with the newest state, whoever wrote it',
    file: 'writer/turn.ts',
    find: 'if (known !== undefined && (known.hasFailed || !this.#watch.hasMoved())) return known;',
    replace: 'if (known !== undefined) return known;',
    suites: HANDLES,
  },
  {
    rule: 'a file that another stands in the place of is not written',
    file: 'writer/turn.ts',
    find: 'if (!isStillAt()) {',
    replace: 'if (isStillAt === undefined) {',
    suites: ['test/api/replaced-files'],
  },
  {
    rule: 'the batch of a thread that is gone is undone',
    file: 'writer/service.ts',
    find: '      this.#executor.abandonBatch();\n',
    replace: '',
    suites: THREADS,
  },
  {
    rule: 'the pins of a thread that is gone are released',
    file: 'shared/memory/snapshot-pins.ts',
    find: '=== index + 1) releasePin(memory, pin);',
    replace: '=== -1) releasePin(memory, pin);',
    suites: THREADS,
  },
  {
    rule: 'what is gathered is committed before anyone reads',
    file: 'api/core.ts',
    find: 'if (turn === GATHERS) turn = this.#settle();',
    replace: 'if (turn === GATHERS) turn = OWN_TURN;',
    suites: [...THREADS, 'test/api/handles', 'property-tests/keyspace-model'],
  },
  {
    rule: 'what was answered survives what fails after it',
    file: 'writer/gathering.ts',
    find: '    this.#executor.runAnsweredAgain(',
    replace: `if (copies.length > 0) return this.#executor.abandonBatch();
    this.#executor.runAnsweredAgain(`,
    suites: ['property-tests/gathering'],
  },
  {
    rule: 'there is room to commit what is gathered before it is answered',
    file: 'writer/requests.ts',
    find: 'this.#engine.reserveRoom(this.#operations.pagesToSettle);',
    replace: '',
    suites: ['property-tests/gathering'],
  },
  {
    rule: 'pages of a state that this process has pinned are not reused',
    file: 'writer/engine.ts',
    find: 'const pinned = pinnedTxnIds(this.memory);',
    replace: 'const pinned = pinnedTxnIds(this.memory).slice(0, 0);',
    suites: ['test/api/snapshots'],
  },
  {
    rule: 'the pins of others are asked for anew after every meta',
    file: 'writer/engine.ts',
    find: 'if (this.#pinnedByOthers?.meta !== meta) {',
    replace: 'if (this.#pinnedByOthers === undefined) {',
    suites: HANDLES,
  },
  {
    rule: 'the lowest state that others read is found, whichever is named first',
    file: 'shared/pages/open-file-locks.ts',
    find: '      lowest = found;\n',
    replace: '      return found;\n',
    suites: HANDLES,
  },
  {
    rule: 'a mapped file is looked at in both its metas',
    file: 'shared/pages/meta-watch.ts',
    find: 'return firstIs && secondIs;',
    replace: 'return firstIs;',
    suites: HANDLES,
  },
  {
    rule: 'a meta that is being written is looked at again',
    file: 'api/core.ts',
    find: 'watch.accept(torn);',
    replace: 'watch.accept([]);',
    suites: ['test/api/torn-meta'],
  },
  {
    rule: 'a writer knows its last state only as long as a torn meta is as it was',
    file: 'writer/turn.ts',
    find: 'accept(engine.files.torn);',
    replace: 'accept([]);',
    suites: ['test/api/torn-meta'],
  },
  {
    rule: 'transactions that share a commit are answered after it',
    file: 'writer/service.ts',
    find: 'if (others.length > 0) this.#executor.runTogether([segment, ...others]);',
    replace: `if (others.length > 0) {
      for (const served of [segment, ...others]) this.#channels.finish(served.channel);
      this.#executor.runTogether([segment, ...others]);
      return;
    }`,
    suites: THREADS,
  },
];
