/**
 * The command that shows a database in a browser.
 */
import process from 'node:process';
import type { Command } from 'commander';
import { open } from '../api/database.js';
import { outOfRange } from '../shared/errors.js';
import { withKey, writing } from './opening.js';
import { type Change, routesOf } from './serve/app.js';
import { servePage } from './serve/server.js';
import { type CommonOptions, jsonLine, line } from './terminal.js';

interface ServeOptions extends CommonOptions {
  readonly port: string;
  readonly write?: boolean;
}

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function addServeCommand(program: Command): void {
  program
    .command('serve <file>')
    .description('shows the file in a browser, until Ctrl-C')
    .option('--port <port>', 'of 127.0.0.1; 0 for any that is free', '0')
    .option('--write', 'let the page set and remove values')
    .addHelpText('after', '\nExample:\n  mneme serve app.mneme')
    .action(serve);
}

async function serve(file: string, options: ServeOptions): Promise<void> {
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw outOfRange('port', 'a port, 0 to 65535', options.port);
  }
  const database = open(file, { readonly: true, ...withKey(options) });
  try {
    const end = stopped();
    const server = await servePage(routesOf(database, changing(file, options)), port);
    const { address } = server;
    if (options.json === true) jsonLine({ address });
    else line(`${file} is shown at ${address}\nCtrl-C ends it.`);
    await end;
    await server.close();
  } finally {
    database.close();
  }
}

function changing(file: string, options: ServeOptions): Change | undefined {
  if (options.write !== true) return undefined;
  return (work) => writing(file, { ...options, create: false }, work);
}

/** Listened for before anybody knows that there is something to end. */
function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of STOP_SIGNALS) process.once(signal, () => resolve());
  });
}
