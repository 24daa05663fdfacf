/**
 * Sorted sets and lists, without sync: ranks, pages and adds in a set with as many members as there
 * are records, and a queue. Each row has stores of its own, filled alike.
 */
import assert from 'node:assert/strict';
import { randomInt, randomLcg } from 'd3-random';
import { shuffledIndexes } from '../dataset.mjs';
import { interleave, medianMicroseconds, timed } from '../measure.mjs';

/** @typedef {import('../workbench.mjs').Workbench} Workbench */
/** @typedef {import('../stores/collections.mjs').Collections} Collections */
/** @typedef {{ name: string, collections: Collections }} Player */

const BATCH_COUNT = 1000;
const ADD_BATCHES_PER_SLICE = 10;
const QUEUE_SLICE_COUNT = 5000;
const QUEUE_LENGTH = 1000;
const CALLS_MAX = 5000;
const CALLS_MS_MAX = 150;
const PAGE_COUNT = 10;
const SCORES = 2 ** 30;
const SEED = 11;

/** @param {number} index */
const memberAt = (index) => `player:${String(index).padStart(10, '0')}`;

/** The members of a row, and random choices that are the same in every run. */
class Board {
  /** @param {number} count */
  constructor(count) {
    this.count = count;
    this.randomScore = randomInt.source(randomLcg(SEED))(0, SCORES);
    this.randomIndex = randomInt.source(randomLcg(SEED + 1))(0, count);
  }

  /** @param {number[]} indexes */
  scored(indexes) {
    return {
      members: indexes.map(memberAt),
      scores: indexes.map(() => this.randomScore()),
    };
  }

  randomBatch() {
    return this.scored(Array.from({ length: BATCH_COUNT }, () => this.randomIndex()));
  }
}

/**
 * Opens the stores of a row and gives all of them the same members.
 * @param {Workbench} workbench
 * @param {string} rowId
 * @param {Board} board
 */
async function filledPlayers(workbench, rowId, board) {
  await workbench.release();
  /** @type {Player[]} */
  const players = [];
  for (const store of workbench.storesOf(rowId)) {
    if (store.openCollections === undefined) continue;
    const directory = workbench.newDirectory(`${rowId}-${store.name}`);
    const options = workbench.openOptions(directory, 'text', 'none');
    players.push({ name: store.name, collections: await store.openCollections(options) });
  }
  const order = shuffledIndexes(board.count, SEED);
  for (let first = 0; first < board.count; first += BATCH_COUNT) {
    const batch = board.scored([...order.subarray(first, first + BATCH_COUNT)]);
    for (const { collections } of players) await collections.addBatch(batch);
  }
  return players;
}

/**
 * @param {Workbench} workbench
 * @param {string} rowId
 * @param {(player: Player, board: Board) => Promise<number>} slice
 * @param {number} [members]
 */
async function measure(workbench, rowId, slice, members = workbench.dataset.records) {
  const board = new Board(members);
  const participants = await filledPlayers(workbench, rowId, board);
  try {
    const { rounds } = workbench.options;
    return await interleave({
      participants,
      rounds,
      warmUpRounds: 1,
      slice: (player) => slice(player, board),
    });
  } finally {
    for (const { collections } of participants) await collections.close();
  }
}

/** @type {(player: Player, board: Board) => Promise<number>} */
async function sliceOfRanks({ collections, name }, board) {
  const members = Array.from({ length: CALLS_MAX }, () => memberAt(board.randomIndex()));
  const rank = await collections.rank(members[0]);
  const [found] = await collections.page(Number(rank));
  assert.equal(found, members[0], `${name} ranks wrongly`);
  return medianMicroseconds({
    calls: CALLS_MAX,
    millisecondsMax: CALLS_MS_MAX,
    work: (call) => collections.rank(members[call]),
  });
}

/** @type {(player: Player, board: Board) => Promise<number>} */
async function sliceOfPages({ collections, name }, board) {
  const starts = Array.from({ length: CALLS_MAX }, () => board.randomIndex());
  const page = await collections.page(Math.max(0, starts[0] - PAGE_COUNT));
  assert.equal(page.length, PAGE_COUNT, `${name} has another page`);
  return medianMicroseconds({
    calls: CALLS_MAX,
    millisecondsMax: CALLS_MS_MAX,
    work: (call) => collections.page(starts[call]),
  });
}

/** @type {(player: Player, board: Board) => Promise<number>} */
async function sliceOfAdds({ collections }, board) {
  const batches = Array.from({ length: ADD_BATCHES_PER_SLICE }, () => board.randomBatch());
  const { seconds } = await timed(async () => {
    for (const batch of batches) await collections.addBatch(batch);
  });
  return (ADD_BATCHES_PER_SLICE * BATCH_COUNT) / seconds;
}

let queued = 0;

/** @type {(player: Player, board: Board) => Promise<number>} */
async function sliceOfQueue({ collections, name }) {
  const values = Array.from({ length: QUEUE_SLICE_COUNT }, () => `job ${queued++}`);
  const { seconds, result } = await timed(() => collections.queue(values));
  assert.deepEqual(result, values, `${name} gives other jobs`);
  return QUEUE_SLICE_COUNT / seconds;
}

/**
 * @param {string} id
 * @param {string} title
 * @param {'higher' | 'lower'} better
 * @param {import('./row.mjs').Goal} goal
 * @param {(player: Player, board: Board) => Promise<number>} slice
 * @param {number} [members]
 * @returns {import('./row.mjs').Row}
 */
function row(id, title, better, goal, slice, members) {
  const unit = better === 'lower' ? 'µs' : `${id === 'queue' ? 'jobs' : 'members'}/s`;
  return { id, title, unit, better, goal, measure: (bench) => measure(bench, id, slice, members) };
}

const toSqlite = (/** @type {number} */ factor) => ({ against: 'better-sqlite3', factor });
const RANK_TITLE = 'rank of a random member of a sorted set';

export const collectionRows = [
  row('set-rank', RANK_TITLE, 'lower', toSqlite(1 / 100), sliceOfRanks),
  row(
    'set-rank-loopback',
    `${RANK_TITLE}, Redis`,
    'lower',
    { against: 'redis', factor: 1 },
    sliceOfRanks,
  ),
  row('set-page', 'ten members at a random rank', 'lower', toSqlite(1 / 50), sliceOfPages),
  row('set-add', 'adds in batches of 1000 without sync', 'higher', toSqlite(2), sliceOfAdds),
  row('queue', 'rpush and lpop without sync', 'higher', toSqlite(3), sliceOfQueue, QUEUE_LENGTH),
];
