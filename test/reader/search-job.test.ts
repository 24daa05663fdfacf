/**
 * The place where a search is shared: who may claim what, and what latecomers can change.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SearchBoard } from '../../dist/shared/memory/search-job.js';
import { createMemoryHandle, SharedMemory } from '../../dist/shared/memory/shared-memory.js';
import { claimThreadSlot } from '../../dist/shared/memory/thread-slots.js';
import { currentSystemThreadId } from '../../dist/shared/system.js';

const FIELDS = [1, 2, 3, 1, 1000, 4, 0, 10];

function boards(count: number): SearchBoard[] {
  const memory = new SharedMemory(createMemoryHandle(4096, 2 ** 20));
  return Array.from({ length: count }, () => {
    const slot = claimThreadSlot(memory, currentSystemThreadId());
    return new SearchBoard(memory, slot.index);
  });
}

function publish(board: SearchBoard, slices: number, helpers = 1): number {
  const vector = new Float32Array([1, 2, 3, 4]);
  return board.publish({ fields: FIELDS, keyspaceId: undefined, vector }, slices, helpers);
}

test('one thread at a time has the place', () => {
  const [first, second] = boards(2) as [SearchBoard, SearchBoard];
  expect(first.acquire()).toBe(true);
  expect(second.acquire()).toBe(false);
  first.release();
  expect(second.acquire()).toBe(true);
});

test('a helper gets the job as it was written down, and every slice is claimed once', () => {
  const [owner, helper] = boards(2) as [SearchBoard, SearchBoard];
  const sequence = publish(owner, 5);
  expect(helper.join(sequence)).toEqual({
    fields: FIELDS,
    vector: new Float32Array([1, 2, 3, 4]),
  });
  const claims = [owner, helper, helper, owner, helper].map((board) => board.claim(sequence));
  expect(claims).toStrictEqual([0, 1, 2, 3, 4]);
  expect([owner.claim(sequence), helper.claim(sequence)]).toStrictEqual([-1, -1]);
});

test('no more helpers join than are wanted', () => {
  const [owner, first, second] = boards(3) as [SearchBoard, SearchBoard, SearchBoard];
  const sequence = publish(owner, 5, 1);
  expect(first.join(sequence)).toBeDefined();
  expect(second.join(sequence)).toBeUndefined();
});

test('whoever comes late from an older job changes nothing', () => {
  const [owner, helper] = boards(2) as [SearchBoard, SearchBoard];
  const older = publish(owner, 5, 4);
  helper.join(older);
  const slice = helper.claim(older);
  helper.addFindings({ slots: [7], uppers: [1] });
  const newer = publish(owner, 5, 4);
  expect(helper.join(older)).toBeUndefined();
  expect(helper.claim(older)).toBe(-1);
  expect(helper.finish(older, slice, true)).toBe(true);
  expect(owner.isUnderWay(newer, slice)).toBe(true);
  expect(owner.findings(newer)).toStrictEqual({ slots: [], uppers: [] });
  expect(owner.claim(newer)).toBe(0);
  helper.raiseThreshold(older, 1);
  expect([owner.threshold(newer), helper.threshold(older)]).toStrictEqual([-Infinity, -Infinity]);
  expect(helper.finish(older, 0, true)).toBe(false);
  expect(owner.isDone(newer, 0)).toBe(false);
});

test('a slice that is taken away is not done by whoever had it', () => {
  const [owner, helper] = boards(2) as [SearchBoard, SearchBoard];
  const sequence = publish(owner, 2);
  helper.join(sequence);
  const slice = helper.claim(sequence);
  expect(owner.isUnderWay(sequence, slice)).toBe(true);
  expect(owner.takeAway(sequence, slice)).toBe(true);
  expect(owner.isUnderWay(sequence, slice)).toBe(false);
  expect(helper.finish(sequence, slice, true)).toBe(false);
  expect(owner.isDone(sequence, slice)).toBe(false);
  const other = helper.claim(sequence);
  expect(helper.finish(sequence, other, true)).toBe(true);
  expect(owner.takeAway(sequence, other)).toBe(false);
});

test('findings that find no room are refused whole', () => {
  const [owner, helper] = boards(2) as [SearchBoard, SearchBoard];
  const sequence = publish(owner, 1);
  helper.join(sequence);
  const many = Array.from({ length: 5000 }, (_, slot) => slot);
  expect(helper.addFindings({ slots: many, uppers: many })).toBe(true);
  expect(helper.addFindings({ slots: many, uppers: many })).toBe(false);
  expect(owner.findings(sequence).slots).toStrictEqual(many);
});

const threshold = fc.oneof(fc.double({ noNaN: true }), fc.double({ min: -2, max: 2, noNaN: true }));

test('the threshold is the highest that was given, never above it and near it', () => {
  fc.assert(
    fc.property(fc.array(threshold, { minLength: 1, maxLength: 10 }), (given) => {
      const [board] = boards(1) as [SearchBoard];
      const sequence = publish(board, 1);
      for (const value of given) board.raiseThreshold(sequence, value);
      const highest = Math.max(...given);
      const raised = board.threshold(sequence);
      expect(raised <= highest).toBe(true);
      const nearest = Math.fround(highest);
      expect(nearest <= highest ? [nearest] : [raised]).toContain(raised);
    }),
    { numRuns: 50 },
  );
});

test('upper bounds cross threads rounded up', () => {
  fc.assert(
    fc.property(fc.array(threshold, { minLength: 1, maxLength: 10 }), (uppers) => {
      const [owner] = boards(1) as [SearchBoard];
      const sequence = publish(owner, 1);
      owner.join(sequence);
      owner.addFindings({ slots: uppers.map((_, slot) => slot), uppers });
      owner.findings(sequence).uppers.forEach((upper, index) => {
        expect(upper >= (uppers[index] as number)).toBe(true);
        expect(Math.fround(upper)).toBe(upper);
      });
    }),
    { numRuns: 50 },
  );
});
