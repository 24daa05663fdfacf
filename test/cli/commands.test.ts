/**
 * Each command does what its help says, and ends with the code that it says.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'mneme';
import { expect, test } from 'vitest';
import { openHere, temporaryDirectory } from '../api/support.js';
import { MAIN, mneme, mnemeWith, said, saidJson } from './support.js';

function filled(): { folder: string; file: string } {
  const folder = temporaryDirectory();
  const file = join(folder, 'a.mneme');
  const database = open(file);
  const users = database.keyspace('users');
  users.set('ada', 'Countess');
  users.set('alan', 41n);
  users.set('session', Uint8Array.of(1, 255), { ttl: 1000 });
  users.sortedSet('ranking').add(2, 'ada', -1.5, 'alan');
  users.list('log').rpush('one', 2, 2.5);
  users.vset('ada', [1, 0]);
  users.vset('alan', [0, 1]);
  database.ftKeyspace('notes', { analyzerName: 'english' }).putMany([
    ['pond', 'ducks on a pond'],
    ['road', 'a goose on a road'],
  ]);
  database.keyspace('raw', { keys: 'bytes' }).set(Uint8Array.of(0, 7), 'seven');
  database.close();
  return { folder, file };
}

test('values are set, read, listed and removed', () => {
  const file = join(temporaryDirectory(), 'new.mneme');
  expect(said('set', file, 'users', 'ada', 'Countess')).toBe('');
  said('set', file, 'users', 'hits', '-5', '--type', 'int', '--ttl', '60');
  said('set', file, 'users', 'pi', '3.5', '--type', 'float');
  said('set', file, 'users', 'raw', '00ff', '--type', 'bytes');
  expect(said('get', file, 'users', 'ada')).toBe('Countess\n');
  expect(saidJson('get', file, 'users', 'hits')).toEqual({ type: 'integer', value: -5 });
  expect(saidJson('get', file, 'users', 'raw')).toEqual({ type: 'bytes', value: 'AP8=' });
  expect(Number(said('ttl', file, 'users', 'hits'))).toBeGreaterThan(30);
  expect(mneme('ttl', file, 'users', 'ada').status).toBe(1);
  expect(said('scan', file, 'users')).toBe('ada\tCountess\nhits\t-5\npi\t3.5\nraw\t0x00ff\n');
  expect(said('scan', file, 'users', '--reverse', '--limit', '2', '--keys-only')).toBe('raw\npi\n');
  expect(said('scan', file, 'users', '--prefix', 'h', '--json')).toBe(
    '{"key":"hits","type":"integer","value":-5}\n',
  );
  expect(mneme('del', file, 'users', 'ada')).toMatchObject({ status: 0, stdout: '' });
  expect(mneme('del', file, 'users', 'ada').status).toBe(1);
  expect(mneme('get', file, 'users', 'ada')).toMatchObject({ status: 1, stdout: '', stderr: '' });
  said('set', file, 'bytes', '00ff', 'x', '--bytes-keys');
  expect(said('scan', file, 'bytes', '--bytes-keys')).toBe('0x00ff\tx\n');
});

test('bytes go to a pipe as they are', () => {
  const { file } = filled();
  const { stdout } = spawnSync(process.execPath, [MAIN, 'get', file, 'users', 'session']);
  expect([...stdout]).toEqual([1, 255]);
});

test('sorted sets and lists are used by their sub-commands', () => {
  const { file } = filled();
  expect(said('zset', 'range', file, 'users', 'ranking')).toBe('-1.5\talan\n2\tada\n');
  said('zset', 'add', file, 'users', 'ranking', '--', '-3', 'grace');
  expect(said('zset', 'rank', file, 'users', 'ranking', 'grace')).toBe('0\n');
  expect(said('zset', 'score', file, 'users', 'ranking', 'grace')).toBe('-3\n');
  expect(said('zset', 'card', file, 'users', 'ranking')).toBe('3\n');
  expect(mneme('zset', 'rem', file, 'users', 'ranking', 'nobody').status).toBe(1);
  said('list', 'lpush', file, 'users', 'log', 'zero');
  expect(said('list', 'range', file, 'users', 'log', '0', '1')).toBe('zero\none\n');
  expect(said('list', 'len', file, 'users', 'log')).toBe('4\n');
  expect(saidJson('list', 'rpop', file, 'users', 'log')).toEqual({ type: 'float', value: 2.5 });
  expect(mneme('list', 'lpop', file, 'users', 'nothing').status).toBe(1);
});

test('searches find words, vectors and both', () => {
  const { file } = filled();
  expect(said('search', 'text', file, 'notes', 'duck')).toMatch(/^\d\.\d{3}\tpond\t\[ducks\]/u);
  expect(said('search', 'vector', file, 'users', '1,0.1', '--top', '1')).toMatch(/\tada\n$/u);
  const hybrid = said('search', 'hybrid', file, 'notes', 'goose', 'users', '[0,1]', '--json');
  expect(hybrid.split('\n')[0]).toContain('"rank"'.replace('rank', 'key'));
  expect(said('analyze', file, 'notes', 'Running ducks')).toBe('run\nduck\n');
});

test('a file tells what it is, and whether it is sound', () => {
  const { file } = filled();
  expect(saidJson('info', file)).toMatchObject({ formatVersion: 1, pageSize: 4096, keySlots: 0 });
  expect(saidJson('stats', file)).toMatchObject({ keyspaces: 3 });
  expect(said('keyspaces', file)).toContain('notes  kind text, analyzerName english, documents 2');
  expect(said('keyspaces', file)).toContain('users  kind values, keys text, values 3, vectors 2');
  expect(saidJson('verify', file)).toMatchObject({ ok: true, problems: [] });
  const bytes = readFileSync(file);
  for (let at = 131_072 + 200; at < bytes.length; at += 4096)
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(file, bytes);
  expect(mneme('verify', file).status).toBe(3);
  expect(mneme('get', file, 'users', 'ada').status).toBe(3);
});

test('compact and backup make files, and take the place of none unasked', () => {
  const { folder, file } = filled();
  for (const way of ['compact', 'backup']) {
    const copy = join(folder, way);
    expect(saidJson(way, file, copy)).toMatchObject({ keys: 10 });
    expect(said('get', copy, 'users', 'ada')).toBe('Countess\n');
    const again = mneme(way, file, copy);
    expect(again).toMatchObject({ status: 1, stdout: '' });
    expect(again.stderr).toContain('EEXIST');
    said(way, file, copy, '--overwrite');
  }
});

test('keys are made, added, listed and removed, and open what is encrypted', () => {
  const folder = temporaryDirectory();
  const [file, own, other] = ['a.mneme', 'own.key', 'other.key'].map((it) => join(folder, it)) as [
    string,
    string,
    string,
  ];
  saidJson('keygen', own);
  const made = saidJson('keygen', other) as { publicKey: string; fingerprint: string };
  expect(statSync(own).mode & 0o777).toBe(0o600);
  expect(mneme('keygen', own).status).toBe(1);
  said('set', file, 'secret', 'door', '4711', '--encrypted', '--key-file', own);
  expect(mneme('get', file, 'secret', 'door')).toMatchObject({ status: 1, stdout: '' });
  expect(said('keyspaces', file)).toBe('secret  encrypted true\n');
  expect(mneme('get', file, 'secret', 'door', '--key-file', other).status).toBe(1);
  expect(said('key', 'add', file, made.publicKey, '--key-file', own)).toBe(`${made.fingerprint}\n`);
  expect(said('get', file, 'secret', 'door', '--key-file', other)).toBe('4711\n');
  expect(said('key', 'ls', file, '--key-file', other)).toContain(`* ${made.fingerprint}\n`);
  said('key', 'rm', file, made.fingerprint, '--key-file', own);
  expect(mneme('get', file, 'secret', 'door', '--key-file', other).status).toBe(1);
});

test('wrong usage ends with 2, failures with 1, damage with 3, and one line each', () => {
  const { folder, file } = filled();
  writeFileSync(join(folder, 'other'), 'not a database');
  for (const words of [['bogus'], ['get', file], [], ['set', file, 'a', 'b', 'c', '--type', 'x']]) {
    expect(mneme(...words)).toMatchObject({ status: 2, stdout: '' });
  }
  const failures = [
    ['info', join(folder, 'none')],
    ['get', file, 'raw', 'ada'],
    ['set', file, 'users', 'a', 'x', '--type', 'int'],
    ['scan', file, 'users', '--limit', 'many'],
    ['load', join(folder, 'new'), join(folder, 'none')],
    ['search', 'vector', file, 'users', '1,2,3'],
  ];
  for (const words of failures) {
    const { status, stdout, stderr } = mneme(...words);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^mneme: [^\n]+\n$/u);
  }
  expect(mneme('info', join(folder, 'other')).status).toBe(3);
  const { stderr } = mneme('info', join(folder, 'none'), '--json');
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'ERR_MNEME_NOT_FOUND' } });
  expect(said('--version')).toMatch(/^\d+\.\d+\.\d+\n$/u);
  expect(said('help', 'get')).toContain('Example:');
});

test('reading commands take no lock, and see what a running program commits', () => {
  const { file } = filled();
  const database = openHere(file);
  database.batch(() => {
    database.keyspace('users').set('new', 'not yet');
    expect(mneme('get', file, 'users', 'new').status).toBe(1);
    expect(said('get', file, 'users', 'ada')).toBe('Countess\n');
  });
  expect(said('get', file, 'users', 'new')).toBe('not yet\n');
});

test('load makes a whole file or none, from a file and from a pipe', () => {
  const { folder, file } = filled();
  const dump = said('dump', file);
  const copy = join(folder, 'copy');
  expect(mnemeWith(dump, 'load', copy, '-')).toMatchObject({ status: 0, stderr: '' });
  expect(said('dump', copy)).toBe(dump);
  expect(mnemeWith(dump, 'load', copy, '-').status).toBe(1);
  expect(mnemeWith(dump, 'load', copy, '-', '--overwrite').status).toBe(0);
  mkdirSync(join(folder, 'd'));
  expect(mnemeWith(dump, 'load', join(folder, 'd'), '-', '--overwrite').status).toBe(1);
  const bad = [`${dump}{"in":`, `${dump}[1]`, '{"in":"users","key":"a","type":"x","value":1}', 'x'];
  for (const input of bad) {
    expect(mnemeWith(input, 'load', join(folder, 'bad'), '-').status).toBe(1);
  }
  expect(readdirSync(folder).sort()).toEqual(['a.mneme', 'copy', 'd']);
});

test('who stops reading ends a command quietly', () => {
  const { file } = filled();
  const database = openHere(file);
  database.keyspace('many').batch((writer) => {
    for (let index = 0; index < 50_000; index++) writer.set(`key ${index}`, 'value '.repeat(10));
  });
  database.close();
  const script = `"$0" "$1" scan "$2" many | head -1; echo "\${PIPESTATUS[0]}"`;
  const words = ['-c', script, process.execPath, MAIN, file];
  const { stdout, stderr } = spawnSync('bash', words, { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual([`key 0\t${'value '.repeat(10)}\n0\n`, '']);
});

test('on a terminal there is a bar, and in a pipe there is none', () => {
  const { folder, file } = filled();
  const plain = mneme('compact', file, join(folder, 'one'));
  expect(plain.stderr).toBe('');
  if (!existsSync('/usr/bin/script')) {
    process.stdout.write('there is no script(1): a real terminal was not tried\n');
    return;
  }
  const command = `'${process.execPath}' '${MAIN}' compact '${file}' '${join(folder, 'two')}'`;
  const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8' });
  expect(stdout).toContain('100%');
  expect(stdout).toContain('bytesAfter');
});

test('the lines of a repl are commands without the name of the file', () => {
  const { file } = filled();
  const lines = 'get users ada\nzset card users ranking\nget users "no body"\nbogus\nexit\n';
  const { status, stdout } = mnemeWith(lines, 'repl', file, '--no-history');
  expect(status).toBe(0);
  expect(stdout).toContain('> Countess\n> 2\n> > commands: info ');
});
