/**
 * A Redis server of our own on a free loopback port, and as much of its protocol as a test needs.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const START_MS_MAX = 10_000;

/** What the server said was wrong. */
export class RedisError {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

export type Reply = string | number | null | RedisError | Reply[];

export function redisIsInstalled(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Takes one reply of what has come; undefined when its end has not. */
function parseReply(text: string, start: number): { reply: Reply; end: number } | undefined {
  const lineEnd = text.indexOf('\r\n', start);
  if (lineEnd < 0) return undefined;
  const line = text.slice(start + 1, lineEnd);
  const next = lineEnd + 2;
  switch (text[start]) {
    case '+':
      return { reply: line, end: next };
    case '-':
      return { reply: new RedisError(line), end: next };
    case ':':
      return { reply: Number(line), end: next };
    case '$': {
      const length = Number(line);
      if (length < 0) return { reply: null, end: next };
      const end = next + length + 2;
      return text.length < end ? undefined : { reply: text.slice(next, end - 2), end };
    }
    case '*':
      return parseArray(text, next, Number(line));
    default:
      throw new Error(`no reply begins with ${text.slice(start, start + 20)}`);
  }
}

function parseArray(
  text: string,
  start: number,
  count: number,
): { reply: Reply; end: number } | undefined {
  if (count < 0) return { reply: null, end: start };
  const items: Reply[] = [];
  let at = start;
  while (items.length < count) {
    const item = parseReply(text, at);
    if (item === undefined) return undefined;
    items.push(item.reply);
    at = item.end;
  }
  return { reply: items, end: at };
}

export class RedisServer {
  readonly #process: ChildProcess;
  readonly #socket: Socket;
  readonly #directory: string;

  private constructor(process: ChildProcess, socket: Socket, directory: string) {
    this.#process = process;
    this.#socket = socket;
    this.#directory = directory;
  }

  static async start(): Promise<RedisServer> {
    const port = await freePort();
    const directory = mkdtempSync(join(tmpdir(), 'mneme-redis-'));
    const options = ['--save', '', '--appendonly', 'no', '--bind', '127.0.0.1', '--dir', directory];
    const server = spawn('redis-server', [...options, '--port', String(port)], { stdio: 'ignore' });
    const deadline = performance.now() + START_MS_MAX;
    for (;;) {
      try {
        const socket = connect(port, '127.0.0.1');
        await once(socket, 'connect');
        socket.setEncoding('latin1'); // a character a byte, as lengths are told in bytes
        socket.setNoDelay(true);
        return new RedisServer(server, socket, directory);
      } catch (error) {
        if (performance.now() > deadline || server.exitCode !== null) throw error;
        await delay(20);
      }
    }
  }

  /** Sends commands together and waits for all replies. Texts come back as latin1. */
  async send(commands: readonly (readonly string[])[]): Promise<Reply[]> {
    const request = commands.map((words) => {
      const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
      return `*${words.length}\r\n${parts.join('')}`;
    });
    this.#socket.write(request.join(''));
    const replies: Reply[] = [];
    let text = '';
    while (replies.length < commands.length) {
      const [chunk] = (await once(this.#socket, 'data')) as [string];
      text += chunk;
      let at = 0;
      for (let next = parseReply(text, 0); next !== undefined; next = parseReply(text, at)) {
        replies.push(next.reply);
        at = next.end;
        if (replies.length === commands.length) break;
      }
      text = text.slice(at);
    }
    return replies;
  }

  async stop(): Promise<void> {
    this.#socket.destroy();
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
