/**
 * What a store that takes part in a few rows only answers to the rest: reaching it is our mistake.
 */

/**
 * Every call but `close`, to be overridden by those that the store does have.
 * @param {string} name
 * @returns {Omit<import('./store.mjs').Handle, 'close'>}
 */
export function refusals(name) {
  const refuse = () => {
    throw new Error(`${name} does not do this row`);
  };
  return {
    getOne: refuse,
    getEach: refuse,
    scan: refuse,
    countPrefix: refuse,
    putOne: refuse,
    putEach: refuse,
    putBatch: refuse,
    load: refuse,
  };
}
