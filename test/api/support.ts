/**
 * What the example tests share: databases that go away with their test, and errors told apart.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, MnemeError, type MnemeErrorCode, type OpenOptions, open } from 'mneme';
import { expect, onTestFinished } from 'vitest';

/** A directory that is removed after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'mneme-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A path where nothing is yet. */
export function temporaryPath(): string {
  return join(temporaryDirectory(), 'test.mneme');
}

/** Opens a database that is closed after the test, whatever happens in it. */
export function openHere(path: string | URL, options?: OpenOptions): Database {
  const database = open(path, options);
  onTestFinished(() => database.close());
  return database;
}

export function memory(options?: OpenOptions): Database {
  return openHere(':memory:', options);
}

/** A clock that stands still until it is moved. */
export interface SteppedClock {
  now: number;
  readonly read: () => number;
}

export function steppedClock(start = 1_750_000_000_000): SteppedClock {
  const clock: SteppedClock = { now: start, read: () => clock.now };
  return clock;
}

/** What an action throws; fails when it does not. */
export function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return expect.fail('nothing was thrown');
}

/** Expects a MnemeError with this code and gives it back. */
export function expectCode(code: MnemeErrorCode, action: () => unknown): MnemeError {
  const error = thrownBy(action);
  expect(error).toBeInstanceOf(MnemeError);
  expect(error).toMatchObject({ code });
  return error as MnemeError;
}

export function expectTypeError(action: () => unknown): void {
  const error = thrownBy(action);
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
}

export function expectRangeError(action: () => unknown): void {
  const error = thrownBy(action);
  expect(error).toBeInstanceOf(RangeError);
  expect(error).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
}

/** Passes a value of the wrong type where the types would not allow it. */
export function untyped(value: unknown): never {
  return value as never;
}
