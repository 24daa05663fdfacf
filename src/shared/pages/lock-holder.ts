/**
 * The process whose turn to write it is, noted in the file for the error messages of the others: a
 * lock that belongs to an opening does not tell who has it.
 *
 *   offset  size  field, behind every meta of the first slot
 *        0     4  process id
 *        4     4  zero
 */
import { META_AREA_BYTES } from '../limits.js';
import { processId } from '../system.js';
import type { StorageFile } from './storage.js';

const NOTE_BYTES = 8;
const NOTE_OFFSET = META_AREA_BYTES - NOTE_BYTES;

/** Notes this process; who calls has the writer's lock. */
export function noteLockHolder(file: StorageFile): void {
  const note = Buffer.alloc(NOTE_BYTES);
  file.read(note, 0, NOTE_BYTES, NOTE_OFFSET);
  if (note.readUInt32LE(0) === processId()) return;
  note.writeUInt32LE(processId(), 0);
  // A disk too full to take it keeps the name of the last one.
  file.write(note, 0, NOTE_BYTES, NOTE_OFFSET);
}

/** Who has the lock, or had it last: the details of an `ERR_MNEME_LOCKED`. */
export function lockHolder(file: StorageFile): { pid: number } {
  const note = Buffer.alloc(NOTE_BYTES);
  file.read(note, 0, NOTE_BYTES, NOTE_OFFSET);
  return { pid: note.readUInt32LE(0) };
}
