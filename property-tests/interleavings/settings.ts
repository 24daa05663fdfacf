/**
 * On what kinds of databases the interleavings run, and who works on them.
 */
import type { Setting } from './group.js';

/** By opening its clients: of eight actions of each so many are writes. */
const ONE_WRITER_TWO_READERS = [[6, 1, 1]];

export const SETTINGS = {
  memory: { isFile: false, sync: 'full', clients: ONE_WRITER_TWO_READERS },
  gathered: { isFile: false, sync: 'none', clients: ONE_WRITER_TWO_READERS },
  plainKernels: {
    ...{ isFile: false, sync: 'none', clients: ONE_WRITER_TWO_READERS },
    withoutWebAssembly: true,
  },
  file: { isFile: true, sync: 'full', clients: [[6, 1], [0]] },
  unsynced: { isFile: true, sync: 'none', clients: [[6, 1], [0]] },
  twoWriters: { isFile: true, sync: 'full', clients: [[5, 0], [2]] },
} as const satisfies Readonly<Record<string, Omit<Setting, 'title'>>>;

export type SettingName = keyof typeof SETTINGS;

/** One after the other, over and over. */
export const IN_TURN: readonly SettingName[] = [
  ...(['memory', 'file', 'gathered', 'unsynced', 'twoWriters'] as const),
  ...(['memory', 'file', 'gathered', 'unsynced', 'plainKernels'] as const),
];

export function settingOf(name: SettingName): Setting {
  return { title: name, ...SETTINGS[name] };
}
