/**
 * Starts a writer on the thread that calls: opens the file, recovers it, and gives the executor.
 */
import type { WriterStart } from '../shared/memory/messages.js';
import { SharedMemory } from '../shared/memory/shared-memory.js';
import { claimThreadSlot, type ThreadSlot } from '../shared/memory/thread-slots.js';
import { MemoryStorage } from '../shared/pages/memory-storage.js';
import { NodeStorage } from '../shared/pages/node-storage.js';
import type { StorageFile } from '../shared/pages/storage.js';
import { currentSystemThreadId } from '../shared/system.js';
import { Engine } from './engine.js';
import { RequestExecutor } from './requests.js';

export interface RunningWriter {
  readonly engine: Engine;
  readonly executor: RequestExecutor;
  readonly slot: ThreadSlot;
  readonly file: StorageFile;
}

export function startWriter(start: WriterStart): RunningWriter {
  const memory = new SharedMemory(start.memory);
  const storage =
    start.memoryFile === undefined ? new NodeStorage() : new MemoryStorage(start.memoryFile);
  const slot = claimThreadSlot(memory, currentSystemThreadId());
  const file = storage.open(start.path, 'write');
  const { bootId, sync } = start;
  const engine = new Engine({ memory, slot, file, bootId, sync });
  return { engine, executor: new RequestExecutor(engine), slot, file };
}
