/**
 * minisearch, in memory: exact words, no prefixes and no fuzziness, which would cost more.
 */
import MiniSearch from 'minisearch';
import { refusals } from './refusals.mjs';
import { HIT_COUNT, searchEachText } from './texts.mjs';

/** @type {import('./store.mjs').Store} */
export const minisearchStore = {
  name: 'minisearch',
  family: 'minisearch',
  packageName: 'minisearch',
  rows: ['text-glosses', 'text-mails'],
  open: () => ({ ...refusals('minisearch'), close: () => undefined }),
  openTexts() {
    const index = new MiniSearch({ fields: ['text'], idField: 'key' });
    return {
      fill: (documents) => index.addAll(documents.map(([key, text]) => ({ key, text }))),
      search: (queries, all) =>
        searchEachText(queries, (query) => {
          const found = index.search(query, { combineWith: all ? 'AND' : 'OR' });
          return found.slice(0, HIT_COUNT).map(({ id, score }) => ({ key: id, score }));
        }),
      close: () => undefined,
    };
  },
};
