/**
 * What `mneme serve` answers, to whom, and what it lets nobody do.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Database, open } from 'mneme';
import { generateKeyPair, writeKeyFile } from 'mneme/crypto';
import { expect, onTestFinished, test } from 'vitest';
import type {
  HybridAnswer,
  ListedKeys,
  Live,
  MapAnswer,
  Overview,
  TextAnswer,
  Timeline,
  VectorAnswer,
  ViewedKey,
} from '../../dist/cli/serve/answers.js';
import { openHere, temporaryDirectory, temporaryPath } from '../api/support.js';
import { interrupt, serve } from './served.js';
import { mneme } from './support.js';

const id = (key: string | Uint8Array) => Buffer.from(key as string).toString('base64url');

function fill(file: string): void {
  const database = open(file);
  const users = database.keyspace('users');
  for (let user = 0; user < 30; user++) users.set(`u${String(user).padStart(2, '0')}`, user);
  users.set('soon', 'gone', { ttl: 90 });
  users.set('later', 'gone', { ttl: 100_000 });
  users.set('raw', Uint8Array.of(0, 255));
  users.set('long', 'x'.repeat(300_000));
  users.sortedSet('ranking').add(2, 'ada', -1.5, 'alan');
  users.list('log').rpush('one', 2, 2.5);
  users.vset('ada', [1, 0]);
  users.vset('alan', [0.5, 1]);
  database.ftKeyspace('notes', { analyzerName: 'english' }).putMany([
    ['ada', 'ducks on a pond, and a duck'],
    ['road', 'a goose on a road'],
  ]);
  database.keyspace('raw', { keys: 'bytes' }).set(Uint8Array.of(0, 7), 'seven');
  database.close();
}

function filledFile(): string {
  const file = temporaryPath();
  fill(file);
  return file;
}

test('only who knows the token is answered, and under its own address', async () => {
  const served = await serve(filledFile());
  const page = await served.ask('/', { headers: {} });
  expect(page.status).toBe(200);
  expect(page.headers['content-security-policy']).toContain("default-src 'none'");
  expect(page.body).not.toMatch(/(?:src|href)="(?!data:)/u);
  expect(page.body).not.toContain(new URL(served.address).hash.slice(1));
  for (const path of ['/api/overview', '/api/key?keyspace=users&id=c29vbg', '/api/nothing']) {
    for (const authorization of ['', 'Bearer', 'Bearer x', `Bearer ${'x'.repeat(32)}`]) {
      const { status, body } = await served.ask(path, { headers: { authorization } });
      expect(status).toBe(401);
      expect(body).not.toContain('gone');
    }
  }
  const token = new URL(served.address).hash.slice(1);
  const authorization = `Bearer ${token}`;
  const elsewhere = { headers: { authorization, host: 'evil.example' } };
  expect((await served.ask('/api/overview', elsewhere)).status).toBe(403);
  expect((await served.ask('/', elsewhere)).status).toBe(403);
  expect((await served.ask('/api/nothing')).status).toBe(404);
  expect((await served.ask('/../package.json')).status).toBe(404);
  for (const path of ['//', '/%', '/api/key?id=%ff%', '/\u0000']) {
    expect((await served.ask(encodeURI(path))).status).toBeGreaterThanOrEqual(400);
  }
  const long = { method: 'POST', body: 'x'.repeat(2 ** 24) };
  expect((await served.ask('/api/set', long).catch(() => ({ status: 400 }))).status).toBe(400);
  expect((await served.ask('/api/overview')).status).toBe(200);
});

test('Ctrl-C ends it with 0, and a port that is taken or none is told of', async () => {
  const file = filledFile();
  expect(await interrupt(await serve(file))).toBe(0);
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  const taken = mneme('serve', file, '--port', String(port));
  expect(taken).toMatchObject({ status: 1, stdout: '' });
  expect(taken.stderr).toContain('EADDRINUSE');
  expect(mneme('serve', file, '--port', '70000').status).toBe(1);
  expect(mneme('serve', `${file}-missing`).status).toBe(1);
});

test('the overview, the map and the live figures are those of the file', async () => {
  const file = filledFile();
  const database = open(file, { readonly: true });
  const served = await serve(file);
  const overview = (await served.json('/api/overview')) as Overview;
  const { cache, oldestReader, ...stats } = database.stats();
  expect(overview.stats).toMatchObject(stats);
  expect(overview.info.txnId).toBe(String(database.info().txnId));
  expect(overview.canWrite).toBe(false);
  expect(overview.keyspaces).toMatchObject([
    { name: 'notes', kind: 'text', analyzerName: 'english', documents: 2 },
    { name: 'raw', kind: 'values', keyKind: 'bytes', keys: 1 },
    { name: 'users', kind: 'values', keys: 34, vectors: 2, sortedSets: 1, lists: 1, deadlines: 2 },
  ]);
  const map = (await served.json('/api/map')) as MapAnswer;
  expect(map.cells.length).toBe(stats.pageCount);
  const inTrees = map.uses.reduce((sum, it) => sum + (it.use === 'tree' ? it.pages : 0), 0);
  const pages = overview.keyspaces.reduce((sum, it) => sum + it.pages, 0);
  expect(inTrees).toBe(pages + 1); // and the catalog
  const live = (await served.json('/api/live?probe=yes')) as Live;
  expect(live.latencies.get.count).toBeGreaterThan(0);
  expect(live.latencies.get.p50).toBeGreaterThan(0);
  expect(live.latencies.get.max).toBeGreaterThanOrEqual(live.latencies.get.p99);
  database.close();
});

test('keys are listed a page at a time, by prefix, and by what they are', async () => {
  const served = await serve(filledFile());
  const labels: string[] = [];
  let after = '';
  for (let page = 0; page < 20; page++) {
    const path = `/api/keys?keyspace=users&prefix=u&limit=7${after}`;
    const { items, hasMore } = (await served.json(path)) as ListedKeys;
    labels.push(...items.map(({ label }) => label));
    if (!hasMore) break;
    after = `&after=${items.at(-1)?.id}`;
  }
  expect(labels).toEqual(Array.from({ length: 30 }, (_, it) => `u${String(it).padStart(2, '0')}`));
  const listed = async (query: string) => {
    const { items } = (await served.json(`/api/keys?keyspace=${query}`)) as ListedKeys;
    return items.map(({ label }) => label);
  };
  expect(await listed('users&what=vectors')).toEqual(['ada', 'alan']);
  expect(await listed('users&what=sorted%20sets')).toEqual(['ranking']);
  expect(await listed('users&what=lists')).toEqual(['log']);
  expect(await listed(`users&what=vectors&after=${id('ada')}`)).toEqual(['alan']);
  expect(await listed('notes')).toEqual(['ada', 'road']);
  expect(await listed('notes&prefix=r')).toEqual(['road']);
  expect(await listed('raw&prefix=00')).toEqual(['0x0007']);
  expect(await listed('raw&prefix=01')).toEqual([]);
  expect((await served.ask('/api/keys?keyspace=none')).status).toBe(404);
  expect((await served.ask('/api/keys?keyspace=users&what=nothing')).status).toBe(400);
  expect((await served.ask('/api/keys')).status).toBe(400);
});

test('a key shows what it holds', async () => {
  const served = await serve(filledFile());
  const view = async (keyspace: string, key: string | Uint8Array, what = 'values') => {
    const path = `/api/key?keyspace=${keyspace}&id=${id(key)}&what=${encodeURIComponent(what)}`;
    return (await served.json(path)) as ViewedKey;
  };
  const raw = await view('users', 'raw');
  expect(raw.value).toEqual({ type: 'bytes', size: 2, base64: 'AP8=', isCut: false });
  expect((await view('users', 'soon')).ttl).toBeGreaterThan(30);
  expect((await view('users', 'long')).value).toMatchObject({ size: 300_000, isCut: true });
  expect((await view('raw', Uint8Array.of(0, 7))).label).toBe('0x0007');
  expect((await view('users', 'ada', 'vectors')).vector).toEqual([1, 0]);
  expect(await view('users', 'ranking', 'sorted sets')).toEqual({
    label: 'ranking',
    count: 2,
    members: [
      { member: 'alan', score: '-1.5' },
      { member: 'ada', score: '2' },
    ],
  });
  expect((await view('users', 'log', 'lists')).elements).toEqual(['one', '2', '2.5']);
  const text = (await view('notes', 'road')).value;
  expect(Buffer.from(text?.base64 ?? '', 'base64').toString()).toBe('a goose on a road');
  expect((await served.ask(`/api/key?keyspace=users&id=${id('none')}`)).status).toBe(404);
});

test('the timeline counts each deadline once', async () => {
  const served = await serve(filledFile());
  const path = '/api/expiry?keyspace=users&seconds=3600';
  const { bars, expired, later, barMs } = (await served.json(path)) as Timeline;
  expect(barMs).toBe(60_000);
  expect(bars.indexOf(1)).toBe(1);
  expect([bars.reduce((sum, it) => sum + it, 0), expired, later]).toEqual([1, 0, 1]);
  expect((await served.ask('/api/expiry?keyspace=users&seconds=-1')).status).toBe(400);
});

test('searches say how they come to their order', async () => {
  const file = filledFile();
  const served = await serve(file);
  const database = openHere(file, { readonly: true });
  const texts = (await served.json(
    '/api/search/text?keyspace=notes&q=ducks+goose+zebra',
  )) as TextAnswer;
  expect(texts.terms.map(({ text, documents }) => [text, documents])).toEqual([
    ['duck', 1],
    ['goos', 1],
    ['zebra', undefined],
  ]);
  const hits = database.ftKeyspace('notes').search('ducks goose zebra');
  expect(texts.hits.map(({ key, score }) => ({ key, score }))).toEqual(hits);
  expect(texts.hits[0]?.parts.map((part) => part?.frequency)).toEqual([2, undefined, undefined]);
  expect(texts.hits[0]?.snippet).toContain('\u0002ducks\u0003');
  const near = '/api/search/vector?keyspace=users&q=ada&metric=l2';
  const vectors = (await served.json(near)) as VectorAnswer;
  expect(vectors.hits).toEqual(database.keyspace('users').vsearch([1, 0], { metric: 'l2' }));
  const both = '/api/search/hybrid?keyspace=notes&q=duck&vectors=users&vector=1,0.2';
  const hybrid = (await served.json(both)) as HybridAnswer;
  expect(hybrid.hits[0]).toMatchObject({ key: 'ada', textRank: 1, vectorRank: 1 });
  for (const path of ['vector?keyspace=users&q=1,2,3', 'text?keyspace=users&q=x', 'text?q=x']) {
    expect((await served.ask(`/api/search/${path}`)).status).toBeGreaterThanOrEqual(400);
  }
});

test('nothing is changed unless that was asked for, and then as any program does it', async () => {
  const file = filledFile();
  const before = readFileSync(file);
  const body = { keyspace: 'users', key: 'soon', type: 'int', value: '5' };
  const reading = await serve(file);
  const refused = await reading.ask('/api/set', { method: 'POST', body });
  expect([refused.status, JSON.parse(refused.body).error.code]).toEqual([
    409,
    'ERR_MNEME_READONLY',
  ]);
  expect((await reading.ask('/api/set', { method: 'POST', body, headers: {} })).status).toBe(401);
  expect(readFileSync(file).equals(before)).toBe(true);
  const program: Database = openHere(file);
  const writing = await serve(file, '--write');
  expect((await writing.ask('/api/set', { method: 'POST', body })).status).toBe(200);
  const users = program.keyspace('users');
  expect(users.get('soon')).toBe(5);
  expect(users.ttl('soon')).toBeGreaterThan(30);
  users.set('mine', 'too');
  const removed = { keyspace: 'users', id: id('soon') };
  expect(await writing.json('/api/del', { method: 'POST', body: removed })).toEqual({
    removed: true,
  });
  expect(users.get('soon')).toBeUndefined();
  const seen = (await writing.json(`/api/key?keyspace=users&id=${id('mine')}`)) as ViewedKey;
  expect(seen.label).toBe('mine');
  for (const bad of [
    {},
    { ...body, type: 'thing' },
    { ...body, value: 'x' },
    { ...body, ttl: -1 },
  ]) {
    expect((await writing.ask('/api/set', { method: 'POST', body: bad })).status).toBe(400);
  }
  expect((await writing.ask('/api/set', { method: 'POST', body: 5 })).status).toBe(400);
});

test('what is encrypted is shown to who has its key, and its name to others', async () => {
  const folder = temporaryDirectory();
  const [file, keyFile] = [join(folder, 'a.mneme'), join(folder, 'a.key')];
  writeKeyFile(keyFile, generateKeyPair().seed);
  const database = open(file, { encryption: { keyFile } });
  database.keyspace('secret', { encrypted: true }).set('plan', 'hidden');
  database.keyspace('plain').set('a', 'b');
  database.close();
  const locked = await serve(file);
  const { keyspaces } = (await locked.json('/api/overview')) as Overview;
  expect(keyspaces.find(({ name }) => name === 'secret')?.kind).toBe('locked');
  expect(((await locked.json('/api/map')) as MapAnswer).locked).toEqual(['secret']);
  const path = `/api/key?keyspace=secret&id=${id('plan')}`;
  const refused = await locked.ask(path);
  expect(refused.status).toBe(409);
  expect(refused.body).not.toContain('hidden');
  const opened = await serve(file, '--key-file', keyFile);
  const { value } = (await opened.json(path)) as ViewedKey;
  expect(Buffer.from(value?.base64 ?? '', 'base64').toString()).toBe('hidden');
});
