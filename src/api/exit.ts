/**
 * What is committed with `sync: 'none'` and still in memory goes to the file when the process ends
 * by itself or by `process.exit`; and what is not finished then is removed.
 */

/** Something that has to change a file before the process ends. */
export interface Flushable {
  flushAtExit(): void;
}

const open = new Set<Flushable>();

export function rememberAtExit(database: Flushable): void {
  if (open.size === 0) process.on('exit', flushAll);
  open.add(database);
}

export function forgetAtExit(database: Flushable): void {
  open.delete(database);
  if (open.size === 0) process.off('exit', flushAll);
}

function flushAll(): void {
  for (const database of open) database.flushAtExit();
}
