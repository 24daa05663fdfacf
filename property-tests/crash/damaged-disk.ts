/**
 * What is asked of a disk that lost or changed what had been written: it gives the right answer or
 * says that it is damaged, and never anything else.
 */
import { expect } from 'vitest';
import { MnemeError } from '../../dist/shared/errors.js';
import { PageMismatch } from '../../dist/shared/pages/page-file.js';
import type { DiskImage } from './disk-image.js';
import { contentLine, EngineRun } from './engine-run.js';

/** How far one came before the damage was noticed. */
export type Outcome = 'not opened' | 'not read' | 'not written' | 'whole';

/** Reads everything and commits. The image is as it was at the end. */
export function examineDamaged(
  image: DiskImage,
  bootId: Uint8Array,
  allowed: readonly string[],
): Outcome {
  const mark = image.mark();
  let outcome: Outcome = 'not opened';
  try {
    const run = new EngineRun(image, 'full', bootId);
    outcome = 'not read';
    const content = run.content();
    if (!allowed.includes(content)) expect(allowed).toContain(content);
    outcome = 'not written';
    run.problems();
    run.engine.begin();
    run.set('key', 'more', 0, 'z');
    run.commit();
    run.file.cutPower();
    const again = new EngineRun(image, 'full', bootId).content();
    const line = contentLine('z', 'key', 0, 'more');
    expect(again).toBe(content === '' ? line : `${content}\n${line}`);
    outcome = 'whole';
  } catch (error) {
    if (!isDamage(error)) throw error;
  } finally {
    image.rollBack(mark);
  }
  return outcome;
}

export function isDamage(error: unknown): boolean {
  if (error instanceof PageMismatch) return true;
  return error instanceof MnemeError && error.code === 'ERR_MNEME_CORRUPT';
}

/** How often there was which outcome. */
export class OutcomeCount {
  readonly #counts = new Map<Outcome, number>();
  total = 0;

  add(outcome: Outcome): void {
    this.total++;
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
  }

  of(outcome: Outcome): number {
    return this.#counts.get(outcome) ?? 0;
  }

  toString(): string {
    return [...this.#counts].map(([outcome, count]) => `${outcome} ${count}`).join(', ');
  }
}
