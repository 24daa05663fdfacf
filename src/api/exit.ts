/**
 * What is committed with `sync: 'none'` and still in memory goes to the file when the process ends
 * by itself or by `process.exit`.
 */
import * as messages from '../shared/memory/messages.js';
import type { Core } from './core.js';

const open = new Set<Core>();

export function flushAtExit(core: Core): void {
  if (core.options.readonly || core.options.sync === 'full') return;
  if (open.size === 0) process.on('exit', flushAll);
  open.add(core);
}

export function forgetAtExit(core: Core): void {
  open.delete(core);
  if (open.size === 0) process.off('exit', flushAll);
}

function flushAll(): void {
  for (const core of open) {
    if (!core.isOpen || !core.writer.isStarted) continue;
    core.writer.discard();
    core.writer.drain();
    core.control(messages.ABORT); // a batch that was running is over
    core.control(messages.WRITE_BEHIND);
  }
}
