/**
 * The disk itself, as the yardstick of durable puts: what 4 KiB appended to a file of its own and
 * one fdatasync take. Nothing that is durable at return and writes at the end of a file can be
 * faster; a store that overwrites space it has claimed before can, since the file's size need not
 * be synced.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { refusals } from './refusals.mjs';

const APPENDED_SIZE_BYTES = 4096;

/** @type {import('./store.mjs').Store} */
export const diskStore = {
  name: 'disk',
  family: 'disk',
  isYardstick: true,
  rows: ['put-durable'],
  open({ directory }) {
    const file = openSync(join(directory, 'appended'), 'a');
    const page = Buffer.alloc(APPENDED_SIZE_BYTES, 'x');
    const append = () => {
      if (writeSync(file, page) !== page.length) throw new Error('the disk is full');
      fdatasyncSync(file);
    };
    return {
      ...refusals('disk'),
      putOne: append,
      load: append,
      putBatch: append,
      close: () => closeSync(file),
    };
  },
};
