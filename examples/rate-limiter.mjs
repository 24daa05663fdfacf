/**
 * A rate limiter: at most LIMIT requests of a client in any WINDOW_MS, not only in whole minutes.
 *
 * Run it after `npm run build` with `node examples/rate-limiter.mjs [requests]`; 20,000 by default.
 * For each client a sorted set holds when its requests of the last window came. The answers are
 * checked against the plain definition.
 */
import assert from 'node:assert/strict';
import { open } from 'mneme';

const REQUESTS = Number(process.argv[2] ?? 20_000);
const CLIENTS = ['ada', 'grace', 'edsger'];
const LIMIT = 10;
const WINDOW_MS = 1000;

const db = open(':memory:');
const keyspace = db.keyspace('requests');

/** True when the client may make a request at `now`, which is counted then. */
function mayPass(client, now, requestId) {
  return db.batch(() => {
    const recent = keyspace.sortedSet(client);
    const old = recent.rangeByScore(-Infinity, now - WINDOW_MS);
    recent.rem(...old.map(({ member }) => member));
    if (recent.card() >= LIMIT) return false;
    recent.add(now, requestId);
    return true;
  });
}

/** Numbers below a bound that are the same in every run. */
let state = 7;
function below(bound) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state % bound;
}

const passedAt = new Map(CLIENTS.map((client) => [client, []]));
let now = 0;
let refused = 0;
for (let request = 0; request < REQUESTS; request += 1) {
  now += below(60);
  const client = CLIENTS[(below(1024) >> 3) % CLIENTS.length];
  const passed = passedAt.get(client);
  const isAllowed = passed.filter((at) => at > now - WINDOW_MS).length < LIMIT;
  assert.equal(mayPass(client, now, `request ${request}`), isAllowed);
  if (isAllowed) passedAt.set(client, [...passed.slice(-LIMIT), now]);
  else refused += 1;
}
console.log(`${REQUESTS} requests: ${REQUESTS - refused} passed, ${refused} were refused`);
assert.ok(REQUESTS < 100 || refused > 0);
assert.ok(db.verify().ok);
db.close();
