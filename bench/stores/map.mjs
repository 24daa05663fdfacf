/**
 * A plain JavaScript Map, as the roof of what a call that returns a value can reach: no file, no
 * copy, no order. Its million strings sit in the heap that all stores share and make every
 * collection slower, so it runs only when it is asked for.
 */
import { refusals } from './refusals.mjs';

/** @type {Map<string, Map<string, import('../dataset.mjs').Value>>} */
const mapsByDirectory = new Map();

/** @type {import('./store.mjs').Store} */
export const mapStore = {
  name: 'map',
  family: 'map',
  isYardstick: true,
  rows: ['get', 'get-bytes', 'miss', 'scan', 'scan-bytes'],
  open({ directory }) {
    const map = mapsByDirectory.get(directory) ?? new Map();
    mapsByDirectory.set(directory, map);
    return handleOf(map);
  },
};

/**
 * @param {Map<string, import('../dataset.mjs').Value>} map
 * @returns {import('./store.mjs').Handle}
 */
function handleOf(map) {
  return {
    ...refusals('map'),
    getOne: (key) => map.get(key),
    getEach(keys) {
      const tally = { found: 0, valueSizes: 0 };
      for (const key of keys) {
        const value = map.get(key);
        if (value === undefined) continue;
        tally.found += 1;
        tally.valueSizes += value.length;
      }
      return tally;
    },
    scan() {
      const tally = { entries: 0, keySizes: 0, valueSizes: 0 };
      for (const [key, value] of map) {
        tally.entries += 1;
        tally.keySizes += key.length;
        tally.valueSizes += value.length;
      }
      return tally;
    },
    load({ keys, values }) {
      for (let index = 0; index < keys.length; index += 1) map.set(keys[index], values[index]);
    },
    close: () => undefined,
  };
}
