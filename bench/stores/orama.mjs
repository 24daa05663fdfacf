/**
 * Orama, in memory. It finds by prefixes unless told otherwise: `exact` compares whole words.
 */
import { create, insertMultiple, search as searchOrama } from '@orama/orama';
import { refusals } from './refusals.mjs';
import { HIT_COUNT, searchEachText } from './texts.mjs';

/** @type {import('./store.mjs').Store} */
export const oramaStore = {
  name: 'orama',
  family: 'orama',
  packageName: '@orama/orama',
  rows: ['text-glosses'],
  open: () => ({ ...refusals('orama'), close: () => undefined }),
  openTexts() {
    const index = create({ schema: { text: 'string' } });
    return {
      fill: async (documents) => {
        await insertMultiple(
          index,
          documents.map(([key, text]) => ({ id: key, text })),
        );
      },
      search: (queries, all) =>
        searchEachText(queries, (term) => {
          const wanted = { term, limit: HIT_COUNT, exact: true, threshold: all ? 0 : 1 };
          const found = /** @type {{ hits: { id: string, score: number }[] }} */ (
            searchOrama(index, wanted)
          );
          return found.hits.map(({ id, score }) => ({ key: id, score }));
        }),
      close: () => undefined,
    };
  },
};
