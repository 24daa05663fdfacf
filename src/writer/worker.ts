/**
 * The writer's thread: takes a segment, carries it out, answers; writes behind when it has rested.
 *
 * It spins for a while after its last request, since the next one mostly comes soon and a wake-up
 * takes a hundred times as long as a request.
 */
import { availableParallelism } from 'node:os';
import { workerData } from 'node:worker_threads';
import {
  announceWriter,
  ChannelWriter,
  maySpin,
  segmentAddress,
  WRITER_ENDED,
} from '../shared/memory/channel.js';
import {
  ABORT,
  CLOSE,
  newOperationPlace,
  readOperation,
  SEGMENT_HEADER_BYTES,
  WRITE_BEHIND,
  type WriterStart,
} from '../shared/memory/messages.js';
import { SharedMemory } from '../shared/memory/shared-memory.js';
import { claimThreadSlot } from '../shared/memory/thread-slots.js';
import { currentSystemThreadId, monotonicMs } from '../shared/system.js';
import { AnswerWriter } from './answer.js';
import type { Engine } from './engine.js';
import { type RunningWriter, startWriter } from './start.js';
import type { WriterTurn } from './turn.js';

const SPIN_MS = 0.3;
const LOOKS_PER_CLOCK_READING = 64;
const WRITE_BEHIND_MS = 10;
const REST_MS = 1000;
/** What ends a batch, a process or a database. */
const ENDINGS: ReadonlySet<number> = new Set([ABORT, WRITE_BEHIND, CLOSE]);

const start = workerData as WriterStart;
const memory = new SharedMemory(start.memory);
const spinMs = availableParallelism() > 1 ? SPIN_MS : 0;

function main(): void {
  const channel = new ChannelWriter(memory);
  let writer: RunningWriter | undefined;
  let startError: unknown;
  try {
    writer = startWriter(start);
    announceWriter(memory, writer.slot.index + 1);
  } catch (error) {
    startError = error;
    announceWriter(memory, claimThreadSlot(memory, currentSystemThreadId()).index + 1);
  }
  if (writer === undefined) refuseAll(channel, startError);
  else serve(channel, writer);
  announceWriter(memory, WRITER_ENDED);
}

/** A writer that could not start tells everyone why; with nothing written it ends as any other. */
function refuseAll(channel: ChannelWriter, error: unknown): void {
  const answer = new AnswerWriter(memory);
  const place = newOperationPlace();
  do {
    const sequence = channel.poll();
    if (sequence < 0) {
      channel.sleep(REST_MS);
      continue;
    }
    readOperation(memory, segmentAddress(sequence) + SEGMENT_HEADER_BYTES, place);
    if (ENDINGS.has(place.code)) {
      answer.begin();
      answer.finish(0);
    } else answer.fail(error);
    channel.finish();
  } while (place.code !== CLOSE);
}

function serve(channel: ChannelWriter, { turn, executor, close }: RunningWriter): void {
  let dueMs = 0;
  for (;;) {
    const sequence = nextSegment(channel, turn, dueMs);
    if (sequence >= 0) {
      const wasPending = turn.engine?.needsWriteBehind;
      executor.run(segmentAddress(sequence));
      channel.finish();
      if (executor.closed) break;
      if (wasPending !== true) dueMs = monotonicMs() + WRITE_BEHIND_MS;
    }
    const { engine } = turn;
    if (engine === undefined || engine.isOpen) continue;
    if (engine.needsWriteBehind && monotonicMs() >= dueMs) {
      attempt(engine, () => engine.writeBehind());
      dueMs = monotonicMs() + WRITE_BEHIND_MS;
    }
    attempt(engine, () => turn.yieldToOthers());
  }
  close();
}

/** The engine remembers a failed write and tells whoever writes next. */
function attempt(engine: Engine, write: () => void): void {
  try {
    write();
  } catch (error) {
    engine.noteBackgroundError(error);
  }
}

/** The next segment, or -1 when the write-behind is due. */
function nextSegment(channel: ChannelWriter, turn: WriterTurn, dueMs: number): number {
  const spinEnd = monotonicMs() + (maySpin(memory) ? spinMs : 0);
  do {
    for (let look = 0; look < LOOKS_PER_CLOCK_READING; look++) {
      const sequence = channel.poll();
      if (sequence >= 0) return sequence;
    }
  } while (monotonicMs() < spinEnd);
  const { engine } = turn;
  const isPending = engine?.needsWriteBehind === true;
  // Idle: others may write.
  if (engine?.isOpen === false && !isPending) attempt(engine, () => turn.giveBack());
  channel.sleep(isPending ? Math.max(0, dueMs - monotonicMs()) : REST_MS);
  return channel.poll();
}

main();
