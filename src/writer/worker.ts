/**
 * The writer's thread. Where there are several processors it spins a little after its last request,
 * since the next one mostly comes soon and a wake-up takes a hundred times as long as a request.
 */
import { availableParallelism } from 'node:os';
import { workerData } from 'node:worker_threads';
import { debug, isDebugged } from '../shared/debug-log.js';
import { announceWriter, ChannelWriter, WRITER_ENDED } from '../shared/memory/channel.js';
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
import { currentSystemThreadId } from '../shared/system.js';
import { AnswerWriter } from './answer.js';
import { WriterService } from './service.js';
import { type RunningWriter, startWriter } from './start.js';

const SPIN_MS = 0.3;
const REST_MS = 1000;
const ANY_CHANNEL = -1;
/** What ends a batch, a process or a database. */
const ENDINGS: ReadonlySet<number> = new Set([ABORT, WRITE_BEHIND, CLOSE]);

const start = workerData as WriterStart;
const memory = new SharedMemory(start.memory);

function main(): void {
  const channels = new ChannelWriter(memory);
  let writer: RunningWriter | undefined;
  let startError: unknown;
  try {
    writer = startWriter(start);
    if (isDebugged) debug(`writer: runs, thread ${currentSystemThreadId()}, sync ${start.sync}`);
    announceWriter(memory, writer.slot.index + 1);
  } catch (error) {
    startError = error;
    if (isDebugged) debug(`writer: cannot start: ${error}`);
    announceWriter(memory, claimThreadSlot(memory, currentSystemThreadId()).index + 1);
  }
  if (writer === undefined) refuseAll(channels, startError);
  else {
    const spinMs = availableParallelism() > 1 ? SPIN_MS : 0;
    new WriterService(memory, channels, writer, start.sync, spinMs).run();
    writer.close();
    if (isDebugged) debug('writer: ended');
  }
  announceWriter(memory, WRITER_ENDED);
}

/** A writer that could not start tells everyone why; with nothing written it ends as any other. */
function refuseAll(channels: ChannelWriter, error: unknown): void {
  const answer = new AnswerWriter(memory);
  const place = newOperationPlace();
  do {
    const channel = channels.poll(ANY_CHANNEL);
    if (channel < 0) {
      channels.sleep(REST_MS);
      continue;
    }
    readOperation(memory, channels.segment(channel) + SEGMENT_HEADER_BYTES, place);
    answer.begin(channel);
    if (ENDINGS.has(place.code)) answer.finish(0);
    else answer.fail(error);
    channels.finish(channel);
  } while (place.code !== CLOSE);
}

main();
