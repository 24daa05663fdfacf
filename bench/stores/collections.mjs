/**
 * What the rows on sorted sets and lists see of a store. Types only.
 */

/**
 * @template T
 * @typedef {T | Promise<T>} Awaitable
 */

/** @typedef {{ members: string[], scores: number[] }} ScoredMembers */

/**
 * One sorted set and one queue. Without sync: nothing has to survive a power cut.
 * @typedef {object} Collections
 * @property {(batch: ScoredMembers) => Awaitable<void>} addBatch one commit
 * @property {(member: string) => Awaitable<number | undefined>} rank
 * @property {(start: number) => Awaitable<string[]>} page ten members from a rank on
 * @property {(values: string[]) => Awaitable<string[]>} queue pushes each and pops the oldest, each
 *   a commit of its own; returns what was popped
 * @property {() => Awaitable<void>} close
 */

export {};
