/**
 * mneme's full text as its users reach it, with the analyzer 'standard'.
 */
import { join } from 'node:path';
import { open } from 'mneme';
import { HIT_COUNT, searchEachText } from './texts.mjs';

/**
 * @param {import('./texts.mjs').TextOptions} options
 * @returns {import('./texts.mjs').Texts}
 */
export function openMnemeTexts({ directory, cacheSizeBytes, threads }) {
  const path = join(directory, 'texts.mneme');
  const database = open(path, { sync: 'none', cacheSize: cacheSizeBytes, threads });
  const texts = database.ftKeyspace('bench');
  return {
    fill(documents) {
      texts.putMany(documents);
      database.sync();
    },
    put(documents) {
      for (const [key, text] of documents) texts.put(key, text);
    },
    search: (queries, all) => {
      const operator = all ? 'and' : 'or';
      return searchEachText(queries, (query) => texts.search(query, { topK: HIT_COUNT, operator }));
    },
    close: () => database.close(),
  };
}
