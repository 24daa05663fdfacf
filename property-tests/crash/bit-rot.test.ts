/**
 * Disks that change what they hold: flipped bits, pages that changed places, older versions of a
 * page, other pages in its place. There is the right answer, or the damage is told of.
 */
import { expect, test } from 'vitest';
import { announce, FAULT_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';
import { randomFrom } from './crash-states.js';
import { examineDamaged, OutcomeCount } from './damaged-disk.js';
import type { DiskImage } from './disk-image.js';
import { BOOT, EngineRun } from './engine-run.js';
import { performHistory } from './history.js';
import { usedDatabase } from './many-histories.js';

const PAGE_BYTES = 4096;
const TRANSACTIONS = 6;
const ROTS_PER_DATABASE = 200;

type Rot = 'bit' | 'stale' | 'swap' | 'copy';
const ROTS: readonly Rot[] = ['bit', 'bit', 'bit', 'stale', 'swap', 'copy'];

/** A database, what its file was in the middle of its history, and what may be found in it. */
interface Aged {
  readonly image: DiskImage;
  readonly older: Uint8Array;
  readonly allowed: readonly string[];
  readonly pages: readonly number[];
}

function agedDatabase(seed: number, isClosed: boolean): Aged {
  const random = randomFrom(seed);
  const image = usedDatabase();
  const first = new EngineRun(image, 'full', BOOT);
  performHistory(first, 'full', random, TRANSACTIONS);
  const older = image.bytes.slice(0, image.size);
  const second = new EngineRun(image, 'full', BOOT);
  for (const commit of [1, 2]) {
    second.engine.begin();
    second.set('key', `commit ${commit}`.repeat(30), 0, 'c');
    second.set(`large ${commit}`, 'large'.repeat(900), 9, 'c');
    second.commit();
  }
  const before = second.content();
  second.engine.begin();
  second.set('key', 'last', 0, 'c');
  second.commit();
  const last = second.content();
  if (isClosed) second.engine.close();
  image.settle();
  // The last commit of a writer that was killed looks like one that was never acknowledged.
  return { image, older, allowed: isClosed ? [last] : [before, last], pages: pagesOf(image) };
}

/** Pages that hold anything; some of it is free by now. */
function pagesOf(image: DiskImage): number[] {
  const pages: number[] = [];
  for (let page = 0; page * PAGE_BYTES < image.size; page++) {
    const bytes = image.bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    if (bytes.some((byte) => byte !== 0)) pages.push(page);
  }
  return pages;
}

function rot({ image, older, pages }: Aged, random: () => number): string {
  const pick = () => pages[Math.floor(random() * pages.length)] as number;
  const kind = ROTS[Math.floor(random() * ROTS.length)] as Rot;
  const [page, second] = [pick(), pick()];
  const bytesOf = (from: Uint8Array, at: number) =>
    from.slice(at * PAGE_BYTES, (at + 1) * PAGE_BYTES);
  const bytes = bytesOf(image.bytes, page);
  const bit = Math.floor(random() * PAGE_BYTES * 8);
  if (kind === 'bit') {
    bytes[bit >>> 3] = (bytes[bit >>> 3] as number) ^ (1 << (bit & 7));
    image.write(bytes, page * PAGE_BYTES);
  } else if (kind === 'stale') image.write(bytesOf(older, page), page * PAGE_BYTES);
  else {
    const others = bytesOf(image.bytes, second);
    if (kind === 'swap') image.write(bytes, second * PAGE_BYTES);
    image.write(others, page * PAGE_BYTES);
  }
  return `${kind}, page ${page}, other page ${second}, bit ${bit}`;
}

test.each([true, false])(
  'a disk that rots gives the right answer or is reported; closed: %s',
  (isClosed) => {
    const outcomes = new OutcomeCount();
    for (let database = 0; outcomes.total < FAULT_COUNTS.rots; database++) {
      const seed = SEED + database;
      const random = randomFrom(~seed);
      const aged = agedDatabase(seed, isClosed);
      for (let index = 0; index < ROTS_PER_DATABASE; index++) {
        const mark = aged.image.mark();
        const title = rot(aged, random);
        try {
          outcomes.add(examineDamaged(aged.image, BOOT, aged.allowed));
        } catch (error) {
          throw new Error(`MNEME_SEED=${SEED}, database ${database}, ${title}`, { cause: error });
        }
        aged.image.rollBack(mark);
      }
    }
    announce(`rotten disks, closed ${isClosed} (${outcomes})`, outcomes.total);
    expect(outcomes.of('whole')).toBeGreaterThan(0);
    expect(outcomes.of('not read')).toBeGreaterThan(0);
  },
  PROPERTY_TIMEOUT_MS,
);
