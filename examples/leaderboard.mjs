/**
 * A leaderboard: who is first, what rank somebody has, and who is around them, however many play.
 *
 * Run it after `npm run build` with `node examples/leaderboard.mjs [players]`, a million by
 * default.
 * Everything that it prints, it checks; it exits with 1 when something does not hold.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'mneme';

const PLAYERS = Number(process.argv[2] ?? 1_000_000);
const BATCH = 10_000;
const LOOK_UPS = 10_000;

/** Scores that differ from run to run would hide a mistake. */
const scoreAt = (player) => Math.imul(player + 1, 2_654_435_761) >>> 12;
const nameAt = (player) => `player ${player}`;

function microseconds(work, times) {
  const start = performance.now();
  work();
  return `${(((performance.now() - start) * 1000) / times).toFixed(1)} µs each`;
}

/** The players one above and one below, and the player. */
function around(board, player) {
  const rank = board.rank(player, { reverse: true });
  return board.rangeByRank(Math.max(0, rank - 1), rank + 1, { reverse: true });
}

const directory = mkdtempSync(join(tmpdir(), 'mneme-leaderboard-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const db = open(join(directory, 'game.mneme'), { sync: 'none' });
const board = db.keyspace('game').sortedSet('scores');

const adding = microseconds(() => {
  for (let first = 0; first < PLAYERS; first += BATCH) {
    db.batch(() => {
      for (let player = first; player < Math.min(first + BATCH, PLAYERS); player += 1) {
        board.add(scoreAt(player), nameAt(player));
      }
    });
  }
}, PLAYERS);
console.log(`${board.card().toLocaleString('en-US')} players, added in ${adding}`);
assert.equal(board.card(), PLAYERS);

console.log('\nThe first three:');
for (const { score, member } of board.rangeByRank(0, 2, { reverse: true })) {
  console.log(`  ${member.padEnd(16)} ${score}`);
}
const best = Array.from({ length: PLAYERS }, (_, player) => scoreAt(player)).sort((a, b) => b - a);
const ten = board.rangeByRank(0, 9, { reverse: true });
assert.deepEqual(
  ten.map(({ score }) => score),
  best.slice(0, 10),
);

const me = nameAt(Math.floor(PLAYERS / 3));
console.log(`\nAround ${me}, who is number ${board.rank(me, { reverse: true }) + 1}:`);
for (const { score, member } of around(board, me)) console.log(`  ${member.padEnd(16)} ${score}`);
assert.ok(around(board, me).some(({ member }) => member === me));

const [after] = board.batchIncr([me], 2 ** 21);
console.log(
  `\nAfter a good game: ${after} points, number ${board.rank(me, { reverse: true }) + 1}`,
);
assert.equal(board.rank(me, { reverse: true }), 0);

const ranking = microseconds(() => {
  for (let at = 0; at < LOOK_UPS; at += 1) {
    const player = scoreAt(at) % PLAYERS;
    assert.notEqual(board.rank(nameAt(player)), undefined);
  }
}, LOOK_UPS);
console.log(`\nRank of a random player: ${ranking}`);
db.close();
