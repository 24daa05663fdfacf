/**
 * The page of `mneme serve` in a real browser, as somebody uses it: clicks, searches, changes; and
 * that it draws what it should, in light and in the dark.
 */
import { existsSync } from 'node:fs';
import { env } from 'node:process';
import { open } from 'mneme';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { temporaryPath } from '../api/support.js';
import { serve } from './served.js';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = [env['CHROMIUM'], ...PLACES, chromium.executablePath()].find(
  (path) => path !== undefined && existsSync(path),
);
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];

let browser: Browser | undefined;
beforeAll(async () => {
  if (executablePath !== undefined)
    browser = await chromium.launch({ executablePath, args: FLAGS });
});
afterAll(() => browser?.close());

const isThere = executablePath !== undefined;
if (!isThere)
  process.stdout.write('Chromium is not installed: the page is not tried in a browser\n');
const inBrowser = test.runIf(isThere);

function fill(file: string): void {
  const database = open(file);
  database.batch((tx) => {
    const users = tx.keyspace('users');
    for (let user = 0; user < 400; user++) {
      const ttl = user % 9 === 0 ? { ttl: 60 + user } : {};
      users.set(`user ${String(user).padStart(3, '0')}`, JSON.stringify({ user, on: true }), ttl);
    }
    users.set(
      'photo',
      Uint8Array.from({ length: 40_000 }, (_, at) => at),
    );
    const old = tx.keyspace('old');
    for (let key = 0; key < 2000; key++) old.set(`${key}`, 'x'.repeat(90));
    const vectors = tx.keyspace('vectors');
    for (let key = 0; key < 50; key++) vectors.vset(`n${key}`, [Math.cos(key), Math.sin(key), 1]);
  });
  database.dropKeyspace('old');
  database.keyspace('users').set('photo', Uint8Array.of(1, 2, 254));
  const documents = Array.from({ length: 50 }, (_, at): [string, string] => {
    return [
      `n${at}`,
      `${'ducks '.repeat(at % 7)} run beside ${at % 3 === 0 ? 'a goose' : 'a pond'}`,
    ];
  });
  database.ftKeyspace('notes', { analyzerName: 'english' }).putMany(documents);
  database.close();
}

/** Opens the page on a filled file; whatever the page complains of fails the test. */
async function visit(words: string[] = [], colorScheme: 'light' | 'dark' = 'light') {
  const file = temporaryPath();
  fill(file);
  const { address } = await serve(file, ...words);
  const context = await (browser as Browser).newContext({ colorScheme });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (!request.url().startsWith('data:') && origin !== new URL(address).origin) {
      complaints.push(`asks ${request.url()}`);
    }
  });
  await page.goto(address);
  return { page, file, complaints };
}

async function go(page: Page, view: string): Promise<void> {
  await page.getByRole('button', { name: view, exact: true }).click();
}

/** How many different colours a part of the canvas has. */
async function coloursOf(page: Page, selector: string): Promise<number> {
  return await page
    .locator(selector)
    .first()
    .evaluate((element) => {
      const canvas = element as unknown as {
        width: number;
        height: number;
        getContext(kind: '2d'): {
          getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray };
        };
      };
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const seen = new Set<number>();
      for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] === 255)
          seen.add(((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0));
      }
      return seen.size;
    });
}

inBrowser('it shows the keyspaces, and leads to their keys', async () => {
  const { page, complaints } = await visit();
  const row = page.getByRole('row', { name: /^users/u });
  await row.waitFor();
  expect(await row.textContent()).toContain('401 values');
  expect(await page.getByText('read only').count()).toBe(1);
  await row.getByRole('button', { name: 'users' }).click();
  await page.getByLabel('prefix').fill('user 01');
  await page.getByRole('button', { name: /^user 012/u }).click();
  await page.getByText('"user": 12').waitFor();
  expect(await page.getByRole('tab', { selected: true }).textContent()).toBe('JSON');
  await page.getByRole('tab', { name: 'hex' }).click();
  await page.getByText('000000  7b 22').waitFor();
  expect(await page.getByRole('button', { name: 'Remove this key' }).count()).toBe(0);
  await page.getByLabel('prefix').fill('');
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('button', { name: /^user 049/u }).waitFor();
  await page.getByRole('button', { name: 'Back' }).click();
  await page.getByRole('button', { name: /^photo/u }).click();
  await page.getByText('01 02 fe').waitFor();
  expect(complaints).toEqual([]);
});

inBrowser('the map draws what is live and what is free, and says what a page is for', async () => {
  const { page, complaints } = await visit();
  await go(page, 'Map');
  const canvas = page.locator('.map canvas');
  await canvas.waitFor();
  await expect.poll(() => coloursOf(page, '.map canvas')).toBeGreaterThanOrEqual(5);
  await canvas.hover({ position: { x: 5, y: 5 } });
  await page.getByText('page 0: metas, from which a file is opened').waitFor();
  const legend = await page.locator('.legend').textContent();
  for (const name of ['users', 'notes', 'vectors', 'free', 'catalog'])
    expect(legend).toContain(name);
  await page.getByRole('row', { name: /^users · values/u }).waitFor();
  expect(complaints).toEqual([]);
});

inBrowser('searches show words, parts of scores, distances and fused ranks', async () => {
  const { page, complaints } = await visit();
  await go(page, 'Search');
  await page.getByLabel('words').fill('running ducks');
  await page.getByText('in 50 documents').waitFor();
  await expect.poll(() => page.locator('.hits li').count()).toBe(10);
  expect(await page.locator('.hits li').first().locator('mark').first().textContent()).toBe(
    'ducks',
  );
  expect(await page.locator('.hits li').first().locator('.parts span').count()).toBe(2);
  await page.getByRole('tab', { name: 'vectors' }).click();
  await page.getByLabel('a key, or numbers').fill('n7');
  await page.locator('.hits li').first().getByText('n7').waitFor();
  await page.getByLabel('metric').selectOption('l2');
  await page.getByText('the least distance').waitFor();
  await page.getByRole('tab', { name: 'both' }).click();
  await page.getByLabel('words').fill('goose');
  await page.getByLabel('a key, or numbers').fill('1,0,1');
  await page
    .getByRole('row', { name: /^n\d+ 0\.03/u })
    .first()
    .waitFor();
  expect(complaints).toEqual([]);
});

inBrowser('it follows what others write, and changes values where that is allowed', async () => {
  const { page, file, complaints } = await visit(['--write']);
  await go(page, 'Keys');
  await page.getByLabel('keyspace').selectOption('users');
  const program = open(file);
  program.keyspace('users').set('a new one', 'from elsewhere');
  await page.getByRole('button', { name: /^a new one/u }).click();
  await page.getByText('text, 14 bytes').waitFor();
  await page.getByLabel('value').fill('from here');
  await page.getByRole('button', { name: 'Set', exact: true }).click();
  await page.locator('pre').getByText('from here').waitFor();
  expect(program.keyspace('users').get('a new one')).toBe('from here');
  await page.getByRole('button', { name: 'Remove this key' }).click();
  await expect.poll(() => program.keyspace('users').exists('a new one')).toBe(false);
  program.close();
  expect(complaints).toEqual([]);
});

inBrowser('deadlines and latencies are drawn, in the dark as well', async () => {
  const { page, complaints } = await visit([], 'dark');
  const back = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
  const dark = await back();
  await go(page, 'Expiry');
  await page.getByText('Expire in this time').waitFor();
  await expect.poll(() => coloursOf(page, '.chart canvas')).toBeGreaterThan(2);
  await go(page, 'Live');
  await page.getByText("Latencies of this page's operations").waitFor();
  await expect.poll(() => coloursOf(page, '.chart canvas'), { timeout: 20_000 }).toBeGreaterThan(3);
  await page.getByRole('button', { name: 'as the system is' }).click();
  await expect.poll(back).not.toBe(dark);
  expect(complaints).toEqual([]);
});

inBrowser('without the token it says how to come in', async () => {
  const { page } = await visit();
  await page.goto(page.url().replace(/#.*/u, '?'));
  await page.getByText('open the address that mneme serve has printed').waitFor();
});
