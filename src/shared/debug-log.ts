/**
 * What `NODE_DEBUG=mneme` shows of the writer's thread and of what all threads share; the calling
 * thread's lines are in api/events.ts.
 *
 * The form is that of `util.debuglog`. That one would hand a worker's lines to the main thread,
 * which shows them when its own call has ended, so not at all in a hang; here they are written at
 * once. No line holds a key, a value or a query. Who has something to say asks first whether it is
 * wanted.
 */
import { debuglog } from 'node:util';
import { processId, writeStandardError } from './system.js';

/** Whether anybody wants to know; settled when the process, or the thread, begins. */
export const isDebugged = debuglog('mneme').enabled;

export function debug(text: string): void {
  writeStandardError(`MNEME ${processId()}: ${text}\n`);
}

/** Milliseconds, for people. */
export function shortMs(ms: number): string {
  return `${ms.toFixed(2)} ms`;
}
