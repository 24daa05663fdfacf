/**
 * The one interface through which rows see every store. Types only; the stores are in list.mjs.
 *
 * Its calls take whole slices, so that the loop around a call sits in the store's own file: each
 * store is driven by its own best calls and no slice pays for an interface. Calls may return a
 * promise where the store has no synchronous call; the bench awaits every slice.
 */

/**
 * @template T
 * @typedef {T | Promise<T>} Awaitable
 */

/**
 * @typedef {object} OpenOptions
 * @property {string} directory exists; the store keeps all its files in it
 * @property {import('../dataset.mjs').ValueKind} valueKind
 * @property {'full' | 'none'} sync 'full': a write returns once it would survive a power cut
 * @property {'bulk' | 'daily' | 'frugal'} purpose bulk: one load into a new store. frugal: memory
 *   matters more than speed, so nothing beyond the cache may be kept or mapped where one can choose
 * @property {number} cacheSizeBytes
 * @property {number} records how many there will be
 */

/** @typedef {'sorted' | 'random'} Order of insertion */
/** @typedef {{ found: number, valueSizes: number }} ReadTally of the values a slice has read */
/** @typedef {{ entries: number, keySizes: number, valueSizes: number }} ScanTally */

/**
 * @typedef {object} Handle
 * @property {(key: string) => Awaitable<unknown>} getOne
 * @property {(keys: string[]) => Awaitable<ReadTally>} getEach one call of the store for each key
 * @property {() => Awaitable<ScanTally>} scan reads every key and value, in key order
 * @property {(prefix: string) => Awaitable<number>} countPrefix
 * @property {(key: string, value: import('../dataset.mjs').Value) => Awaitable<void>} putOne
 * @property {(batch: import('../dataset.mjs').Batch) => Awaitable<void>} putEach one commit each
 * @property {(batch: import('../dataset.mjs').Batch) => Awaitable<void>} putBatch one commit
 * @property {(batch: import('../dataset.mjs').Batch, order: Order) => Awaitable<void>} load
 *   fills a new store opened for 'bulk'; durable when it returns
 * @property {() => Awaitable<void>} close
 */

/**
 * @typedef {object} Store
 * @property {string} name
 * @property {string} family the peer that it is a form of; its own name for most
 * @property {string} [packageName] whose version the header prints
 * @property {boolean} [isYardstick] shown beside the peers, never counted as the best of them
 * @property {string[]} [rows] the only rows it takes part in, as ids or first words of ids
 * @property {(options: OpenOptions) => Awaitable<Handle>} open
 * @property {(options: OpenOptions) => Awaitable<import('./collections.mjs').Collections>}
 *   [openCollections] a sorted set and a queue, where the store can have them
 * @property {(options: import('./vectors.mjs').VectorOptions) =>
 *   Awaitable<import('./vectors.mjs').Vectors>} [openVectors] where the store can have them
 * @property {(options: import('./texts.mjs').TextOptions) =>
 *   Awaitable<import('./texts.mjs').Texts>} [openTexts] where the store can have them
 */

export {};
