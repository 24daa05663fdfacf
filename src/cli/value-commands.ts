/**
 * Commands about single values and ranges of them.
 */
import { type Command, Option } from 'commander';
import type { Database } from '../api/database.js';
import type { KeyspaceReader } from '../api/keyspace.js';
import type { RangeOptions } from '../api/range.js';
import {
  parseKey,
  parseValue,
  plainKey,
  plainValue,
  type TypedAs,
  typedValue,
  VALUE_TYPES,
} from '../shared/bytes/typed-value.js';
import type { Value } from '../shared/bytes/value-codec.js';
import { outOfRange } from '../shared/errors.js';
import { reading, writing } from './opening.js';
import {
  type CommonOptions,
  Ending,
  EXIT_ERROR,
  isTerminal,
  jsonLine,
  line,
  write,
} from './terminal.js';

/** How the keys of a keyspace are typed. */
export interface KeysOption extends CommonOptions {
  readonly bytesKeys?: boolean;
}

interface SetCommandOptions extends KeysOption {
  readonly type: TypedAs;
  readonly ttl?: string;
  readonly encrypted?: boolean;
}

interface ScanOptions extends KeysOption {
  readonly prefix?: string;
  readonly reverse?: boolean;
  readonly limit?: string;
  readonly keysOnly?: boolean;
}

/** A command about one keyspace. */
export function keyspaceCommand(parent: Command, usage: string, description: string): Command {
  return parent
    .command(usage)
    .description(description)
    .option('--bytes-keys', 'keys are bytes, typed in hex');
}

export function keysOf({ bytesKeys }: KeysOption): 'text' | 'bytes' {
  return bytesKeys === true ? 'bytes' : 'text';
}

/** A handle that reads keys of either kind. */
export function readerOf(database: Database, name: string, options: KeysOption): KeyspaceReader {
  const keys = keysOf(options);
  const keyspace = database.keyspace(name, { keys: keys as 'text', integers: 'auto' });
  return keyspace as KeyspaceReader;
}

export function typeOption(): Option {
  return new Option('--type <type>', 'type of the value').choices(VALUE_TYPES).default('text');
}

export function wholeNumber(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const number = Number(text);
  if (!Number.isInteger(number)) throw outOfRange(name, 'a whole number', text);
  return number;
}

export function addValueCommands(program: Command): void {
  keyspaceCommand(
    program,
    'get <file> <keyspace> <key>',
    'prints a value; ends with 1 when there is none',
  )
    .addHelpText('after', '\nExample:\n  mneme get app.mneme users ada')
    .action(getValue);
  keyspaceCommand(
    program,
    'set <file> <keyspace> <key> <value>',
    'sets a value; makes the file when it is missing',
  )
    .addOption(typeOption())
    .option('--ttl <seconds>', 'until it expires')
    .option('--encrypted', 'make the keyspace an encrypted one')
    .addHelpText(
      'after',
      '\nExamples:\n  mneme set app.mneme users ada Countess\n' +
        '  mneme set app.mneme hits home 1 --type int --ttl 60',
    )
    .action(setValue);
  keyspaceCommand(
    program,
    'del <file> <keyspace> <key>',
    'removes a value; ends with 1 when there was none',
  )
    .addHelpText('after', '\nExample:\n  mneme del app.mneme users ada')
    .action((file: string, keyspace: string, key: string, options: KeysOption) => {
      const removed = writing(file, options, (database) => {
        const handle = database.keyspace(keyspace, { keys: keysOf(options) as 'text' });
        return handle.del(parseKey(key, keysOf(options)));
      });
      if (options.json === true) jsonLine({ removed });
      if (!removed) throw new Ending(EXIT_ERROR);
    });
  keyspaceCommand(
    program,
    'ttl <file> <keyspace> <key>',
    'seconds until a key expires; ends with 1 when it does not',
  )
    .addHelpText('after', '\nExample:\n  mneme ttl app.mneme sessions c0ffee')
    .action((file: string, keyspace: string, key: string, options: KeysOption) => {
      const ttl = reading(file, options, (database) =>
        readerOf(database, keyspace, options).ttl(parseKey(key, keysOf(options))),
      );
      if (options.json === true) jsonLine({ ttl: ttl ?? null });
      else if (ttl !== undefined) line(ttl.toFixed(3));
      if (ttl === undefined) throw new Ending(EXIT_ERROR);
    });
  keyspaceCommand(program, 'scan <file> <keyspace>', 'prints keys and values in order')
    .option('--prefix <prefix>', 'only keys that begin so')
    .option('--reverse', 'from the last to the first')
    .option('--limit <count>', 'at most so many')
    .option('--keys-only', 'without the values')
    .addHelpText('after', '\nExample:\n  mneme scan app.mneme users --prefix a --limit 10')
    .action(scanValues);
}

function getValue(file: string, keyspace: string, key: string, options: KeysOption): void {
  reading(file, options, (database) => {
    const reader = readerOf(database, keyspace, options);
    const parsed = parseKey(key, keysOf(options));
    const value = reader.get(parsed);
    if (value === undefined) throw new Ending(EXIT_ERROR);
    if (options.json === true) jsonLine(typedValue(value));
    else writeValue(value);
  });
}

/** Bytes go to a pipe as they are, and to a terminal in hex. */
function writeValue(value: Value): void {
  if (value instanceof Uint8Array && !isTerminal()) write(value);
  else line(plainValue(value));
}

function setValue(
  file: string,
  keyspace: string,
  key: string,
  text: string,
  options: SetCommandOptions,
): void {
  const { type, ttl, encrypted } = options;
  const value = parseValue(text, type);
  const more = ttl === undefined ? {} : { ttl: Number(ttl) };
  writing(file, { ...options, create: true }, (database) => {
    const kind = { keys: keysOf(options) as 'text', ...(encrypted === true ? { encrypted } : {}) };
    const handle = database.keyspace(keyspace, kind);
    const at = parseKey(key, keysOf(options));
    if (typeof value === 'number') handle.setFloat(at, value, more);
    else handle.set(at, value, more);
  });
  if (options.json === true) jsonLine({ set: true });
}

function scanValues(file: string, keyspace: string, options: ScanOptions): void {
  const { prefix, reverse = false, limit, keysOnly = false } = options;
  const range: RangeOptions = { reverse };
  if (prefix !== undefined) range.prefix = parseKey(prefix, keysOf(options));
  if (limit !== undefined) range.limit = wholeNumber('limit', limit, 0);
  reading(file, options, (database) => {
    const reader = readerOf(database, keyspace, options);
    for (const [key, value] of reader.range(range)) {
      if (options.json === true) {
        const shown = typeof key === 'string' ? key : Buffer.from(key).toString('base64');
        jsonLine(keysOnly ? { key: shown } : { key: shown, ...typedValue(value) });
      } else line(keysOnly ? plainKey(key) : `${plainKey(key)}\t${plainValue(value)}`);
    }
  });
}
