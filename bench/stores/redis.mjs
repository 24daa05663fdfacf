/**
 * A Redis server over loopback, for the rows on sorted sets and lists; only where redis-server is
 * installed. It keeps everything in memory and writes nothing. Each call waits for its reply, as a
 * caller who needs the answer does.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { refusals } from './refusals.mjs';

const HOST = '127.0.0.1';
const START_STEP_MS = 20;
const START_STEPS_MAX = 500;

async function freePort() {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** @param {number} port */
async function connected(port) {
  for (let step = 0; ; step += 1) {
    const socket = connect(port, HOST);
    try {
      await once(socket, 'connect');
      return socket.setNoDelay(true).setEncoding('latin1');
    } catch (error) {
      if (step === START_STEPS_MAX) throw error;
      await delay(START_STEP_MS);
    }
  }
}

/**
 * The lines of a whole reply, without their marks; undefined while some are still to come.
 * @param {string} text
 */
function replyLines(text) {
  const lines = text.split('\r\n');
  let wanted = 1;
  let next = 0;
  /** @type {string[]} */
  const values = [];
  while (wanted > 0) {
    const line = lines[next];
    if (next + 1 >= lines.length) return undefined;
    next += 1;
    wanted -= 1;
    if (line[0] === '-') throw new Error(line);
    if (line[0] === '*') wanted += Number(line.slice(1));
    else if (line[0] !== '$') values.push(line.slice(1));
    else if (line !== '$-1') {
      if (next + 1 >= lines.length) return undefined;
      values.push(lines[next]);
      next += 1;
    }
  }
  return values;
}

/** @param {import('node:net').Socket} socket */
function caller(socket) {
  let text = '';
  /** @type {(values: string[]) => void} */
  let settle = () => {};
  socket.on('data', (chunk) => {
    text += chunk;
    const values = replyLines(text);
    if (values === undefined) return;
    text = '';
    settle(values);
  });
  /** @param {(string | number)[]} words @returns {Promise<string[]>} */
  return (...words) => {
    const parts = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`);
    return new Promise((resolve) => {
      settle = resolve;
      socket.write(`*${words.length}\r\n${parts.join('')}`);
    });
  };
}

/** @returns {Promise<import('./collections.mjs').Collections>} */
async function openRedis() {
  const port = await freePort();
  const options = ['--save', '', '--appendonly', 'no', '--bind', HOST, '--port', String(port)];
  const server = spawn('redis-server', options, { stdio: 'ignore' });
  process.on('exit', () => server.kill('SIGKILL'));
  const socket = await connected(port);
  const call = caller(socket);
  return {
    async addBatch({ members, scores }) {
      await call('ZADD', 'scores', ...members.flatMap((member, at) => [scores[at], member]));
    },
    async rank(member) {
      const [rank] = await call('ZRANK', 'scores', member);
      return rank === undefined ? undefined : Number(rank);
    },
    page: (start) => call('ZRANGE', 'scores', start, start + 9),
    async queue(values) {
      const popped = [];
      for (const value of values) {
        await call('RPUSH', 'queue', value);
        popped.push(...(await call('LPOP', 'queue')));
      }
      return popped;
    },
    async close() {
      const exited = once(server, 'exit');
      socket.destroy();
      server.kill('SIGKILL');
      await exited;
    },
  };
}

/** @type {import('./store.mjs').Store} */
export const redisStore = {
  name: 'redis',
  family: 'redis',
  rows: ['set-rank', 'set-rank-loopback', 'set-page', 'set-add', 'queue'],
  open: () => ({ ...refusals('redis'), close: () => {} }),
  openCollections: openRedis,
};
