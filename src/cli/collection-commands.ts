/**
 * Commands about sorted sets and lists.
 */
import type { Command } from 'commander';
import type { Database } from '../api/database.js';
import type { Keyspace } from '../api/keyspace.js';
import type { List } from '../api/list.js';
import type { SortedSet } from '../api/sorted-set.js';
import {
  jsonNumber,
  parseValue,
  plainValue,
  type TypedAs,
  typedValue,
} from '../shared/bytes/typed-value.js';
import type { Value } from '../shared/bytes/value-codec.js';
import { reading, writing } from './opening.js';
import { type CommonOptions, Ending, EXIT_ERROR, jsonLine, line } from './terminal.js';
import {
  type KeysOption,
  keysOf,
  keyspaceCommand,
  typeOption,
  wholeNumber,
} from './value-commands.js';

interface CollectionOptions extends KeysOption {
  readonly type: TypedAs;
}

/** What is done with a sorted set or a list. */
interface Action<T> {
  /** Behind the file, the keyspace and the name. */
  readonly usage: string;
  readonly description: string;
  readonly writes: boolean;
  readonly act: (collection: T, words: readonly string[], options: CollectionOptions) => void;
}

const SORTED_SET_ACTIONS: Readonly<Record<string, Action<SortedSet>>> = {
  add: {
    usage: '<score> <member>',
    description: 'adds a member, or changes its score; -- goes before a negative one',
    writes: true,
    act: (set, [score = '', member = '']) => {
      set.add(parseValue(score, 'float') as number, member);
    },
  },
  rem: {
    usage: '<member>',
    description: 'removes a member; ends with 1 when there is none',
    writes: true,
    act: (set, [member = '']) => {
      if (set.rem(member) === 0) throw new Ending(EXIT_ERROR);
    },
  },
  score: {
    usage: '<member>',
    description: "prints a member's score",
    writes: false,
    act: (set, [member = ''], options) => tell(set.score(member), options),
  },
  rank: {
    usage: '<member>',
    description: "prints a member's rank, from 0",
    writes: false,
    act: (set, [member = ''], options) => tell(set.rank(member), options),
  },
  card: {
    usage: '',
    description: 'prints how many members there are',
    writes: false,
    act: (set, _, options) => tell(set.card(), options),
  },
  range: {
    usage: '[start] [stop]',
    description: 'prints members by rank, with their scores',
    writes: false,
    act: (set, [start, stop], { json }) => {
      const [from, to] = [wholeNumber('start', start, 0), wholeNumber('stop', stop, -1)];
      for (const { member, score } of set.rangeByRank(from, to)) {
        if (json === true) jsonLine({ member, score: jsonNumber(score) });
        else line(`${plainValue(score)}\t${member}`);
      }
    },
  },
};

function pushing(end: 'lpush' | 'rpush', place: string): Action<List> {
  return {
    usage: '<value>',
    description: `adds a value at the ${place}`,
    writes: true,
    act: (list, [value = ''], { type }) => {
      list[end](parseValue(value, type));
    },
  };
}

function popping(end: 'lpop' | 'rpop', place: string): Action<List> {
  return {
    usage: '',
    description: `removes and prints the ${place} value`,
    writes: true,
    act: (list, _, options) => tell(list[end](), options),
  };
}

const LIST_ACTIONS: Readonly<Record<string, Action<List>>> = {
  lpush: pushing('lpush', 'head'),
  rpush: pushing('rpush', 'tail'),
  lpop: popping('lpop', 'first'),
  rpop: popping('rpop', 'last'),
  len: {
    usage: '',
    description: 'prints how many values there are',
    writes: false,
    act: (list, _, options) => tell(list.len(), options),
  },
  range: {
    usage: '[start] [stop]',
    description: 'prints values; negative positions count from the end',
    writes: false,
    act: (list, [start, stop], options) => {
      const [from, to] = [wholeNumber('start', start, 0), wholeNumber('stop', stop, -1)];
      for (const value of list.range(from, to)) tell(value, options);
    },
  },
};

export function addCollectionCommands(program: Command): void {
  const sortedSets = program.command('zset').description('sorted sets');
  addActions(sortedSets, SORTED_SET_ACTIONS, (keyspace, name) => keyspace.sortedSet(name));
  const lists = program.command('list').description('lists');
  addActions(lists, LIST_ACTIONS, (keyspace, name) => keyspace.list(name));
}

function addActions<T>(
  parent: Command,
  actions: Readonly<Record<string, Action<T>>>,
  collectionOf: (keyspace: Keyspace, name: string) => T,
): void {
  for (const [verb, { usage, description, writes, act }] of Object.entries(actions)) {
    const words = `${verb} <file> <keyspace> <name> ${usage}`.trim();
    const example = words.replaceAll(/[<>[\]]/gu, '').replace(' file', ' app.mneme');
    const command = keyspaceCommand(parent, words, description);
    if (verb.endsWith('push')) command.addOption(typeOption());
    command.addHelpText('after', `\nExample:\n  mneme ${parent.name()} ${example}`);
    command.action((...given: unknown[]) => {
      const options = given.at(-2) as CollectionOptions;
      const [file = '', keyspace = '', name = '', ...rest] = given.slice(0, -2) as string[];
      const run = (database: Database) => {
        const handle = database.keyspace(keyspace, { keys: keysOf(options) as 'text' });
        act(collectionOf(handle, name), rest, options);
      };
      if (writes) writing(file, { ...options, create: true }, run);
      else reading(file, options, run);
    });
  }
}

/** Ends with 1 when there is nothing. */
function tell(value: Value | undefined, { json }: CommonOptions): void {
  if (value === undefined) throw new Ending(EXIT_ERROR);
  if (json === true) jsonLine(typedValue(value));
  else line(plainValue(value));
}
