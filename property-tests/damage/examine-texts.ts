/**
 * What is done with the documents of a damaged file: every way to read them, and to write them.
 */
import type { FtKeyspace } from 'mneme';
import { keyAt, TEXTS } from './fixture.js';

const at = (index: number): string => keyAt(TEXTS, index);

export function readTexts(texts: FtKeyspace): Record<string, () => unknown> {
  return {
    get: () => [2, 9, 50, 299].map((index) => texts.get(at(index))),
    exists: () => texts.exists(at(4)),
    count: () => [texts.count(), texts.count(at(20).slice(0, -1))],
    scan: () => texts.scan(at(10).slice(0, -1)).toArray(),
    stats: () => texts.stats(),
    search: () => texts.search('all word3 only7'),
    'search more': () => texts.search('word1 word2 word3 word4', { topK: 500, k1: 0, b: 1 }),
    'search all': () => texts.search('all word5', { operator: 'and', snippet: {} }),
    'search a phrase': () => texts.search('"all word0" word7*'),
    'search with a filter': () => texts.search('all', { filter: (id) => id.endsWith('3') }),
  };
}

export function writeTexts(texts: FtKeyspace): Record<string, () => unknown> {
  return {
    put: () => texts.put(at(50), 'all words anew'),
    'put a new one': () => texts.put(at(1000), 'all word1 and others'),
    del: () => [3, 4, 50].map((index) => texts.del(at(index))),
    rebuild: () => texts.rebuildIndex(),
    'put again': () => texts.put(at(5), 'word1 '.repeat(300)),
    'del again': () => [6, 7, 1000].map((index) => texts.del(at(index))),
    putMany: () => texts.putMany([10, 11, 12].map((index) => [at(index), 'all of many'])),
    'search what was written': () => texts.search('all words', { topK: 500 }),
  };
}
