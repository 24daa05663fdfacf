/**
 * A directory that goes with its test.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'mneme-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}
