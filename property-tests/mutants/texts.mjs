/** Rules of documents, their index and its search. */

const COMMANDS = ['property-tests/text/commands'];
const EXACTNESS = ['property-tests/text/exactness'];

/** @type {readonly import('./mutants.mjs').Mutant[]} */
export const TEXT_MUTANTS = [
  {
    rule: 'a document that is put again loses its old postings',
    file: 'writer/keyspaces/fulltext.ts',
    find: "if (!isNew) this.#indexes.remove(keyspace, 'current', number);",
    replace: '',
    suites: ['test/api/full-text.test', ...COMMANDS],
  },
  {
    rule: 'a document is changed once between two settlements',
    file: 'writer/keyspaces/index-writer.ts',
    find: 'if (this.#changesOf(keyspace, which).has(number)) this.settle();',
    replace: '',
    suites: COMMANDS,
  },
  {
    rule: 'what a savepoint has gathered is forgotten with it',
    file: 'writer/requests.ts',
    find: 'this.#operations.forget();\n        engine.rollBackToSavepoint();',
    replace: 'engine.rollBackToSavepoint();',
    suites: ['test/api/full-text-together'],
  },
  {
    rule: 'a batch sees its own documents',
    file: 'writer/operations.ts',
    find: '#roots(): void {\n    this.settle();',
    replace: '#roots(): void {',
    suites: ['test/api/full-text-together', ...COMMANDS],
  },
  {
    rule: 'documents that were answered are indexed by the commit',
    file: 'writer/requests.ts',
    find: 'this.#operations.settle();\n      this.#commit(count);',
    replace: 'this.#commit(count);',
    suites: ['property-tests/gathering'],
  },
  {
    rule: 'documents that were answered have room to be indexed',
    file: 'writer/operations.ts',
    find: 'this.#known?.texts.pagesToSettle ?? 0',
    replace: '0',
    suites: ['property-tests/gathering'],
  },
  {
    rule: 'a rebuild catches up with what is changed behind it',
    file: 'writer/keyspaces/fulltext.ts',
    find: 'text?.building === true && number <= text.cursor',
    replace: 'text?.building === true && number < 0',
    suites: ['test/api/full-text-indexing', ...COMMANDS],
  },
  {
    rule: 'documents are indexed by the analyzer that is stored',
    file: 'writer/text-operations.ts',
    find: 'if (stored !== asked) throw',
    replace: 'if (stored === undefined) throw',
    suites: ['test/api/full-text-analyzers', 'test/api/full-text-refusals', ...COMMANDS],
  },
  {
    rule: 'no posting of a block scores more than its bounds',
    file: 'shared/bytes/postings.ts',
    find: 'length = Math.min(length, list.lengths[at] as number);',
    replace: 'length = Math.max(length, list.lengths[at] as number);',
    suites: [...EXACTNESS, ...COMMANDS],
  },
  {
    rule: 'a term is passed by only when it cannot bring a document among the best',
    file: 'reader/text-search.ts',
    find: 'if (sum >= floor) break;',
    replace: 'if (sum >= 2 * floor) break;',
    suites: EXACTNESS,
  },
  {
    rule: 'scores are those of the query in its order',
    file: 'reader/text-search.ts',
    find: 'for (const index of order) score += parts[index] as number;',
    replace: 'for (const part of parts) score += part;',
    suites: EXACTNESS,
  },
  {
    rule: 'an index that is paused shows no document that is gone',
    file: 'reader/text-query.ts',
    find: 'removed.size === 0 ? hits',
    replace: 'removed.size >= 0 ? hits',
    suites: ['test/api/full-text-indexing', ...COMMANDS],
  },
];
