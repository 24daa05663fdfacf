/**
 * No nonce seals two different pages: over commits, transactions undone, savepoints, crashes,
 * and files that were copied and go on in two places.
 */
import { expect, test } from 'vitest';
import { DATA_START_BYTES } from '../../dist/shared/limits.js';
import { announce, ENCRYPTION_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';
import { randomFrom } from '../crash/crash-states.js';
import { EngineRun, emptyDatabase, encryptAll } from '../crash/engine-run.js';

encryptAll();

const PAGE_BYTES = 4096;
const TRAILER = PAGE_BYTES - 48;
const NONCE_BYTES = 24;
const KEYS = 3000;

/** Every page that was written under its nonce. */
class Nonces {
  readonly #seen = new Map<string, string>();
  pages = 0;

  note(offset: number, bytes: Uint8Array): void {
    if (offset < DATA_START_BYTES) return;
    for (let start = 0; start + PAGE_BYTES <= bytes.length; start += PAGE_BYTES) {
      const page = Buffer.from(bytes.buffer, bytes.byteOffset + start, PAGE_BYTES);
      if (page.subarray(TRAILER).every((byte) => byte === 0)) continue;
      const nonce = page.toString('latin1', TRAILER, TRAILER + NONCE_BYTES);
      // The tag stands for the content; the place belongs to what is sealed.
      const sealed = `${offset + start} ${page.toString('latin1', TRAILER + NONCE_BYTES)}`;
      expect(this.#seen.get(nonce) ?? sealed).toBe(sealed);
      this.#seen.set(nonce, sealed);
      this.pages++;
    }
  }
}

function work(run: EngineRun, random: () => number, nonces: Nonces): void {
  const keyOf = () => `key ${Math.floor(random() * KEYS)}`.padEnd(80, '.');
  for (let transaction = 0; transaction < 12; transaction++) {
    run.begin();
    for (let change = 0; change < 40; change++) {
      if (random() < 0.1) run.engine.savepoint();
      if (random() < 0.2) run.delete(keyOf());
      else run.set(keyOf(), `${random()}`.repeat(20));
      if (random() < 0.02) run.engine.keyRing.rotate();
      if (random() < 0.05) run.engine.freeze();
    }
    releaseAll(run);
    if (random() < 0.2) run.engine.abort();
    else run.commit();
    if (random() < 0.3) run.engine.writeBehind();
  }
  for (const event of run.file.events) {
    if (event.kind === 'write') nonces.note(event.offset, event.bytes);
  }
}

/** Some savepoints are kept, others undone. */
function releaseAll(run: EngineRun): void {
  for (;;) {
    try {
      run.engine.releaseSavepoint();
    } catch {
      return; // there is none left
    }
  }
}

test('no nonce is used for two pages', { timeout: PROPERTY_TIMEOUT_MS }, () => {
  const random = randomFrom(SEED);
  const nonces = new Nonces();
  while (nonces.pages < ENCRYPTION_COUNTS.noncePages) {
    const start = emptyDatabase();
    const first = new EngineRun(start, random() < 0.5 ? 'full' : 'none');
    work(first, random, nonces);
    // Two copies of what a crash left go on, from the same state.
    const image = first.file.image;
    for (const copy of [image.copy(), image.copy()])
      work(new EngineRun(copy, 'none'), random, nonces);
  }
  announce('pages sealed with nonces of their own', nonces.pages);
});
