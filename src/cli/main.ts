#!/usr/bin/env node
/**
 * The entry of the command `mneme`.
 */
import { readFileSync } from 'node:fs';
import { argv, exit, stdout } from 'node:process';
import { run } from './run.js';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

// Who has gone away before all was said is no failure.
stdout.on('error', () => exit(0));
exit(await run(argv.slice(2), version));
