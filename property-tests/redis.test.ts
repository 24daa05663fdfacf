/**
 * Sorted sets and lists against a real Redis server: random sequences of commands, every reply
 * compared. What differs on purpose stands in docs/sorted-sets-and-lists.md, and is not asked here.
 */
import fc from 'fast-check';
import { open } from 'mneme';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { announce, PROPERTY_TIMEOUT_MS, REDIS_COUNTS, SEARCH_LIMIT_MS, SEED } from './counts.js';
import { attempt } from './support/perform.js';
import { RedisError, RedisServer, type Reply, redisIsInstalled } from './support/redis-server.js';

const isInstalled = redisIsInstalled();
let redis: RedisServer | undefined;
const database = open(':memory:', { pageSize: 4096, cacheSize: 2 ** 20 });

beforeAll(async () => {
  if (isInstalled) redis = await RedisServer.start();
});
afterAll(async () => {
  database.close();
  await redis?.stop();
});

const member = fc.oneof(
  fc.nat(12).map((number) => `m${number}`),
  fc.constantFrom('', 'é', '𝄞', '\uffff', '\u0000', '~', 'M', 'p'.repeat(600)),
);
const score = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 1, arbitrary: fc.double({ noNaN: true }).filter((number) => !Object.is(number, -0)) },
  { weight: 1, arbitrary: fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY) },
);
const rank = fc.integer({ min: -16, max: 16 });
const name = fc.constantFrom('one', 'two');
const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 9 }), fc.constant('v'.repeat(3000)));
const limit = fc.option(fc.record({ offset: fc.nat(5), limit: fc.nat(8) }), { nil: undefined });
const kind = <T extends string>(...kinds: T[]) => fc.constantFrom(...kinds);

type Command =
  | { readonly kind: 'add'; readonly name: string; readonly pairs: readonly [number, string][] }
  | { readonly kind: 'rem'; readonly name: string; readonly members: readonly string[] }
  | {
      readonly kind: 'score' | 'rank' | 'reverse rank';
      readonly name: string;
      readonly member: string;
    }
  | { readonly kind: 'incr'; readonly name: string; readonly member: string; readonly by: number }
  | {
      readonly kind: 'card' | 'len' | 'rpop' | 'lpop' | 'clear set' | 'clear list';
      readonly name: string;
    }
  | {
      readonly kind: 'by score';
      readonly name: string;
      readonly low: number;
      readonly high: number;
      readonly limit: { readonly offset: number; readonly limit: number } | undefined;
      readonly reverse: boolean;
    }
  | {
      readonly kind: 'by rank';
      readonly name: string;
      readonly start: number;
      readonly stop: number;
      readonly reverse: boolean;
    }
  | { readonly kind: 'rpush' | 'lpush'; readonly name: string; readonly values: readonly string[] }
  | { readonly kind: 'index'; readonly name: string; readonly index: number }
  | {
      readonly kind: 'range';
      readonly name: string;
      readonly start: number;
      readonly stop: number;
    };

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    kind: kind('add'),
    name,
    pairs: fc.array(fc.tuple(score, member), { minLength: 1, maxLength: 6 }),
  }),
  fc.record({ kind: kind('rem'), name, members: fc.array(member, { minLength: 1, maxLength: 4 }) }),
  fc.record({ kind: kind('score', 'rank', 'reverse rank'), name, member }),
  fc.record({ kind: kind('incr'), name, member, by: score }),
  fc.record({ kind: kind('card', 'len', 'rpop', 'lpop', 'clear set', 'clear list'), name }),
  fc.record({
    kind: kind('by score'),
    name,
    low: score,
    high: score,
    limit,
    reverse: fc.boolean(),
  }),
  fc.record({ kind: kind('by rank'), name, start: rank, stop: rank, reverse: fc.boolean() }),
  fc.record({
    kind: kind('rpush', 'lpush'),
    name,
    values: fc.array(value, { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ kind: kind('index'), name, index: rank }),
  fc.record({ kind: kind('range'), name, start: rank, stop: rank }),
);

/** Commands one by one, or together: a batch here, MULTI and EXEC there. */
interface Group {
  readonly isBatch: boolean;
  readonly commands: readonly Command[];
}

const groups: fc.Arbitrary<Group[]> = fc.array(
  fc.record({
    isBatch: fc.boolean(),
    commands: fc.array(command, { minLength: 1, maxLength: REDIS_COUNTS.groupMax }),
  }),
  { maxLength: REDIS_COUNTS.groupsMax, size: 'max' },
);

function numberText(number: number): string {
  if (number === Number.POSITIVE_INFINITY) return '+inf';
  return number === Number.NEGATIVE_INFINITY ? '-inf' : String(number);
}

function wordsOf(given: Command): string[] {
  const [set, list] = [`set ${given.name}`, `list ${given.name}`];
  switch (given.kind) {
    case 'add':
      return ['ZADD', set, ...given.pairs.flatMap(([at, who]) => [numberText(at), who])];
    case 'rem':
      return ['ZREM', set, ...given.members];
    case 'score':
      return ['ZSCORE', set, given.member];
    case 'rank':
      return ['ZRANK', set, given.member];
    case 'reverse rank':
      return ['ZREVRANK', set, given.member];
    case 'incr':
      return ['ZINCRBY', set, numberText(given.by), given.member];
    case 'card':
      return ['ZCARD', set];
    case 'clear set':
      return ['ZREMRANGEBYRANK', set, '0', '-1'];
    case 'by score': {
      const words =
        given.limit === undefined ? [] : ['LIMIT', given.limit.offset, given.limit.limit];
      const verb = given.reverse ? 'ZREVRANGEBYSCORE' : 'ZRANGEBYSCORE';
      const bounds = [numberText(given.low), numberText(given.high)];
      return [verb, set, ...bounds, 'WITHSCORES', ...words.map(String)];
    }
    case 'by rank': {
      const verb = given.reverse ? 'ZREVRANGE' : 'ZRANGE';
      return [verb, set, String(given.start), String(given.stop), 'WITHSCORES'];
    }
    case 'rpush':
    case 'lpush':
      return [given.kind.toUpperCase(), list, ...given.values];
    case 'rpop':
    case 'lpop':
    case 'len':
      return [given.kind === 'len' ? 'LLEN' : given.kind.toUpperCase(), list];
    case 'clear list':
      return ['DEL', list];
    case 'index':
      return ['LINDEX', list, String(given.index)];
    case 'range':
      return ['LRANGE', list, String(given.start), String(given.stop)];
  }
}

/** What the database answers. */
function performed(given: Command): unknown {
  const keyspace = database.keyspace('redis');
  const set = keyspace.sortedSet(given.name);
  const list = keyspace.list(given.name);
  switch (given.kind) {
    case 'add': {
      const [[first, who] = [0, ''], ...more] = given.pairs;
      return set.add(first, who, ...more.flat());
    }
    case 'rem':
      return set.rem(...given.members);
    case 'score':
      return set.score(given.member);
    case 'rank':
      return set.rank(given.member);
    case 'reverse rank':
      return set.rank(given.member, { reverse: true });
    case 'incr':
      return set.batchIncr([given.member], given.by)[0];
    case 'card':
      return set.card();
    case 'clear set':
      return set.clear();
    case 'by score':
      return set.rangeByScore(given.low, given.high, { ...given.limit, reverse: given.reverse });
    case 'by rank':
      return set.rangeByRank(given.start, given.stop, { reverse: given.reverse });
    case 'rpush':
    case 'lpush':
      return list[given.kind](...given.values);
    case 'rpop':
    case 'lpop':
    case 'len':
      return list[given.kind]();
    case 'clear list':
      return list.clear() > 0 ? 1 : 0;
    case 'index':
      return list.index(given.index);
    case 'range':
      return list.range(given.start, given.stop);
  }
}

function numberOf(text: Reply | undefined): number {
  if (text === 'inf') return Number.POSITIVE_INFINITY;
  return text === '-inf' ? Number.NEGATIVE_INFINITY : Number(text) + 0;
}

function textOf(reply: Reply | undefined): string {
  return Buffer.from(String(reply), 'latin1').toString('utf8');
}

/** A reply of the server as the database would put it. */
function presented(given: Command, reply: Reply | undefined): unknown {
  if (reply instanceof RedisError) return { threw: 'RangeError' };
  const isScore = given.kind === 'score' || given.kind === 'incr';
  if (reply === null || reply === undefined) return { returned: undefined };
  if (Array.isArray(reply)) {
    if (given.kind === 'range') return { returned: reply.map(textOf) };
    const count = reply.length / 2;
    const entry = (at: number) => ({
      score: numberOf(reply[2 * at + 1]),
      member: textOf(reply[2 * at]),
    });
    return { returned: Array.from({ length: count }, (_, at) => entry(at)) };
  }
  if (typeof reply === 'number') return { returned: reply };
  return { returned: isScore ? numberOf(reply) : textOf(reply) };
}

function performGroup({ isBatch, commands }: Group): unknown[] {
  const perform = () => commands.map((each) => attempt(() => performed(each)));
  return isBatch ? database.batch(perform) : perform();
}

async function askRedis(server: RedisServer, { isBatch, commands }: Group): Promise<unknown[]> {
  const words = commands.map(wordsOf);
  const sent = isBatch ? [['MULTI'], ...words, ['EXEC']] : words;
  const answered = await server.send(sent);
  const replies = isBatch ? (answered.at(-1) as Reply[]) : answered;
  return commands.map((each, index) => presented(each, replies[index]));
}

async function compare(server: RedisServer, sequence: readonly Group[]): Promise<void> {
  await server.send([['FLUSHALL']]);
  database.dropKeyspace('redis');
  for (const group of sequence) {
    const replies = await askRedis(server, group);
    expect(performGroup(group)).toStrictEqual(replies);
  }
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
}

const title = 'any sequence of commands is answered as Redis answers it';
if (!isInstalled) process.stdout.write(`redis-server is not installed: "${title}" is not run\n`);

test.runIf(isInstalled)(title, { timeout: PROPERTY_TIMEOUT_MS }, async () => {
  announce('against Redis', REDIS_COUNTS.sequences);
  let commands = 0;
  const property = fc.asyncProperty(groups, async (sequence) => {
    for (const group of sequence) commands += group.commands.length;
    await compare(redis as RedisServer, sequence);
  });
  await fc.assert(property, {
    seed: SEED,
    numRuns: REDIS_COUNTS.sequences,
    interruptAfterTimeLimit: SEARCH_LIMIT_MS,
    markInterruptAsFailure: true,
  });
  process.stdout.write(`against Redis: ${commands} commands\n`);
});
