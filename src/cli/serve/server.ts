/**
 * A page about a database, for the one who started it: served on the loopback address only, and
 * answered only to whoever knows the token.
 *
 * The page itself holds nothing of the database and needs no token; it takes the token from the
 * part of its address that browsers do not send, and says it in a header with each question. So no
 * other site that the browser has open can ask: it neither knows the token nor may set the header,
 * and a name that was bent to this address is refused by the Host header.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MnemeError } from '../../shared/errors.js';
import { NotThere, type Question, type Routes } from './question.js';

const HOST = '127.0.0.1';
const TOKEN_BYTES = 24;
const BODY_BYTES_MAX = 2 ** 24;
const PAGE = new URL('./page.html', import.meta.url);

const HEADERS = {
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** Nothing comes from elsewhere, nothing goes there, and only what the page itself has is run. */
function policyFor(page: string): string {
  const hashOf = (element: string) => {
    const [, content = ''] = new RegExp(`<${element}>([^]*)</${element}>`, 'u').exec(page) ?? [];
    return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
  };
  const parts = [
    ...["default-src 'none'", `script-src ${hashOf('script')}`, `style-src ${hashOf('style')}`],
    ...['img-src data:', "connect-src 'self'", "base-uri 'none'", "form-action 'none'"],
    "frame-ancestors 'none'",
  ];
  return parts.join('; ');
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export interface PageServer {
  /** With the token; for whoever started it. */
  readonly address: string;
  close(): Promise<void>;
}

/** @param port - 0 for any that is free. */
export async function servePage(routes: Routes, port: number): Promise<PageServer> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const page = readFileSync(PAGE, 'utf8');
  const policy = policyFor(page);
  const server = createServer((request, response) => {
    const reply = answer(request, { routes, token, page }).catch(refusal);
    void reply.then((it) => send(response, it, policy));
  });
  await listening(server, port);
  const { port: taken } = server.address() as AddressInfo;
  const address = `http://${HOST}:${taken}/#${token}`;
  return { address, close: () => closed(server) };
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

interface Site {
  readonly routes: Routes;
  readonly token: string;
  readonly page: string;
}

async function answer(request: IncomingMessage, site: Site): Promise<Reply> {
  const { host = '', authorization = '' } = request.headers;
  const { localPort } = request.socket;
  const isHere = [`${HOST}:${localPort}`, `localhost:${localPort}`].includes(host);
  if (!isHere) return failure(403, 'FORBIDDEN', 'this is answered under its own address only');
  const url = new URL(request.url ?? '/', `http://${host}`);
  if (url.pathname === '/') return { status: 200, type: 'text/html', body: site.page };
  if (!isSame(authorization, `Bearer ${site.token}`)) {
    return failure(401, 'UNAUTHORIZED', 'open the address that mneme serve has printed');
  }
  const route = site.routes.get(`${request.method} ${url.pathname}`);
  if (route === undefined) return failure(404, 'NOT_FOUND', 'there is no such page');
  const question: Question = { query: url.searchParams, body: await bodyOf(request) };
  return json(200, await route(question));
}

/** Takes as long whatever is wrong. */
function isSame(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > BODY_BYTES_MAX) throw new RangeError('the request is too long');
    parts.push(part);
  }
  if (length === 0) return {};
  const body: unknown = JSON.parse(Buffer.concat(parts).toString());
  if (typeof body !== 'object' || body === null) throw new TypeError('an object is expected');
  return body as Readonly<Record<string, unknown>>;
}

function refusal(error: unknown): Reply {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof NotThere) return failure(404, 'NOT_FOUND', message);
  if (error instanceof MnemeError) return failure(409, error.code, message);
  const isAsked =
    error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError;
  return failure(isAsked ? 400 : 500, isAsked ? 'BAD_REQUEST' : 'FAILED', message);
}

function failure(status: number, code: string, message: string): Reply {
  return json(status, { error: { code, message } });
}

function json(status: number, value: unknown): Reply {
  const body = JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? `${item}` : item));
  return { status, type: 'application/json', body };
}

function send(response: ServerResponse, { status, type, body }: Reply, policy: string): void {
  const about = { 'content-security-policy': policy, 'content-type': `${type}; charset=utf-8` };
  response.writeHead(status, { ...HEADERS, ...about });
  response.end(body);
}
