/**
 * Starts a writer on the thread that calls: opens the file and gives the executor. Nothing is
 * changed before its first turn.
 */
import { MnemeError } from '../shared/errors.js';
import type { WriterStart } from '../shared/memory/messages.js';
import { SharedMemory } from '../shared/memory/shared-memory.js';
import { claimThreadSlot, type ThreadSlot } from '../shared/memory/thread-slots.js';
import { NO_LOCKS } from '../shared/pages/file-locks.js';
import { MemoryStorage } from '../shared/pages/memory-storage.js';
import { NodeStorage } from '../shared/pages/node-storage.js';
import { openSameFile } from '../shared/pages/storage.js';
import { currentSystemThreadId } from '../shared/system.js';
import { RequestExecutor } from './requests.js';
import { WriterTurn } from './turn.js';

export interface RunningWriter {
  readonly turn: WriterTurn;
  readonly executor: RequestExecutor;
  readonly slot: ThreadSlot;
  /** Gives back the file and all locks. */
  close(): void;
}

export function startWriter(start: WriterStart): RunningWriter {
  const memory = new SharedMemory(start.memory);
  const storage =
    start.memoryFile === undefined ? new NodeStorage() : new MemoryStorage(start.memoryFile);
  const slot = claimThreadSlot(memory, currentSystemThreadId());
  const { path, bootId, sync, lockTimeoutMs } = start;
  const file = openSameFile(storage, path, start.fileIdentity, 'write');
  const locks = start.takesLocks ? storage.locksOf(file) : NO_LOCKS;
  if (locks === undefined) throw new MnemeError('ERR_MNEME_IO', { reason: 'no locks here' });
  const isStillAt = () => storage.isStillAt(file, path);
  const turn = new WriterTurn({
    ...{ memory, slot, file, bootId, sync, locks, lockTimeoutMs, isStillAt },
  });
  const close = () => {
    turn.engine?.source.clearKeys();
    file.close();
  };
  return { turn, executor: new RequestExecutor(memory, turn), slot, close };
}
