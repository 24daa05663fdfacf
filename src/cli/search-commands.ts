/**
 * Commands that search: words, vectors, and both.
 */
import { type Command, Option } from 'commander';
import { parseVector, plainKey } from '../shared/bytes/typed-value.js';
import { reading } from './opening.js';
import { type CommonOptions, jsonLine, line } from './terminal.js';
import { type KeysOption, keyspaceCommand, readerOf, wholeNumber } from './value-commands.js';

const METRICS = ['cosine', 'dot', 'l2'] as const;

interface SearchOptions extends KeysOption {
  readonly top?: string;
  readonly operator: 'or' | 'and';
  readonly metric: (typeof METRICS)[number];
  readonly filter?: string;
}

const metricOption = () =>
  new Option('--metric <metric>', 'how near is measured').choices(METRICS).default('cosine');

export function addSearchCommands(program: Command): void {
  const search = program.command('search').description('finds documents and vectors');
  search
    .command('text <file> <keyspace> <query>')
    .description('documents with words of the query, best first')
    .option('--top <count>', 'at most so many', '10')
    .addOption(
      new Option('--operator <operator>', 'any of the words, or all')
        .choices(['or', 'and'])
        .default('or'),
    )
    .option('--filter <prefix>', 'only ids that begin so')
    .addHelpText('after', '\nExample:\n  mneme search text app.mneme notes "duck pond"')
    .action(searchText);
  keyspaceCommand(search, 'vector <file> <keyspace> <vector>', 'keys with the nearest vectors')
    .option('--top <count>', 'at most so many', '10')
    .addOption(metricOption())
    .option('--filter <prefix>', 'only keys that begin so')
    .addHelpText('after', '\nExample:\n  mneme search vector app.mneme colours 1,0.7,0.1')
    .action(searchVector);
  search
    .command('hybrid <file> <texts> <query> <vectors> <vector>')
    .description('documents by words and by vectors, fused by their ranks')
    .option('--top <count>', 'at most so many', '10')
    .addOption(metricOption())
    .addHelpText(
      'after',
      '\nExample:\n  mneme search hybrid app.mneme notes "duck pond" vectors 0.1,0.2',
    )
    .action(searchHybrid);
  program
    .command('analyze <file> <keyspace> <text>')
    .description('the words that a text is indexed by')
    .addHelpText('after', '\nExample:\n  mneme analyze app.mneme notes "Running ducks"')
    .action((file: string, keyspace: string, text: string, options: CommonOptions) => {
      const terms = reading(file, options, (database) =>
        database.ftKeyspace(keyspace).analyze(text),
      );
      if (options.json === true) jsonLine(terms);
      else for (const term of terms) line(term);
    });
}

function filterOf({ filter }: SearchOptions): { filter?: string } {
  return filter === undefined ? {} : { filter };
}

function searchText(file: string, keyspace: string, query: string, options: SearchOptions): void {
  const topK = wholeNumber('top', options.top, 10);
  const { operator } = options;
  reading(file, options, (database) => {
    const wanted = { topK, operator, snippet: { before: '[', after: ']' }, ...filterOf(options) };
    for (const { key, score, snippet = '' } of database
      .ftKeyspace(keyspace)
      .search(query, wanted)) {
      if (options.json === true) jsonLine({ key, score, snippet });
      else line(`${score.toFixed(3)}\t${key}\t${snippet.replaceAll(/\s+/gu, ' ')}`);
    }
  });
}

function searchVector(
  file: string,
  keyspace: string,
  vector: string,
  options: SearchOptions,
): void {
  const topK = wholeNumber('top', options.top, 10);
  const { metric } = options;
  reading(file, options, (database) => {
    const reader = readerOf(database, keyspace, options);
    const wanted = { topK, metric, ...filterOf(options) };
    for (const { key, score } of reader.vsearch(parseVector(vector), wanted)) {
      if (options.json === true) jsonLine({ key: plainKey(key), score });
      else line(`${score.toFixed(6)}\t${plainKey(key)}`);
    }
  });
}

function searchHybrid(
  file: string,
  texts: string,
  query: string,
  vectors: string,
  vector: string,
  options: SearchOptions,
): void {
  const topK = wholeNumber('top', options.top, 10);
  const { metric } = options;
  reading(file, options, (database) => {
    const hits = database.hybridSearch({
      text: { keyspace: database.ftKeyspace(texts), query },
      vector: { keyspace: database.keyspace(vectors), query: parseVector(vector), metric },
      topK,
    });
    for (const hit of hits) {
      if (options.json === true) jsonLine(hit);
      else {
        const { key, score, textRank = '-', vectorRank = '-' } = hit;
        line(`${score.toFixed(5)}\t${key}\twords ${textRank}, vectors ${vectorRank}`);
      }
    }
  });
}
