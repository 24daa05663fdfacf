/**
 * A file in which one entry of a tree tells a lie under right checksums, and what is found out.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, open } from 'mneme';
import { readParts } from './damages.js';
import { type Cell, cellsOf, META_AREA_BYTES, PAGE_BYTES, type Part, seal } from './sealed-file.js';

export interface Lie {
  /** Whose first node has the entry; the catalog's is the record of the keyspace. */
  readonly owner: Part['owner'];
  readonly entry: number;
  readonly change: (file: Buffer, cell: Cell) => void;
}

/** Uses a database that was filled, closed and changed. */
export function withLie<T>(
  fill: (database: Database) => void,
  { owner, entry, change }: Lie,
  use: (database: Database) => T,
): T {
  const directory = mkdtempSync(join(tmpdir(), 'mneme-lies-'));
  try {
    const path = join(directory, 'changed');
    const original = open(path, { pageSize: PAGE_BYTES });
    fill(original);
    original.close();
    const file = readFileSync(path);
    const part = readParts(file).find((each) => each.owner === owner && each.kind === 'node');
    if (part === undefined) throw new Error(`the file has a part of ${owner}`);
    const cell = cellsOf(file, part)[entry];
    if (cell === undefined) throw new Error(`there is no entry ${entry}`);
    change(file, cell);
    seal(file, part);
    file.copy(file, META_AREA_BYTES, 0, META_AREA_BYTES);
    writeFileSync(path, file);
    using database = open(path, { readonly: true });
    return use(database);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What `verify()` says. */
export function problemsAfterLie(fill: (database: Database) => void, lie: Lie): string[] {
  return withLie(fill, lie, (database) => {
    return database.verify().problems.map(({ message }) => message);
  });
}
