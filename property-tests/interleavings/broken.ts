/**
 * Copies of the built package with one rule broken each, to prove that the interleavings see it.
 */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DIST } from './group.js';
import type { SettingName } from './settings.js';

export interface Breakage {
  readonly rule: string;
  readonly file: string;
  readonly whole: string;
  readonly broken: string;
  /** Where it shows. */
  readonly setting: SettingName;
  /** It shows so late that only a soak waits for it. */
  readonly isRare?: boolean;
}

const MEMORY = 'shared/memory/';
export const BREAKAGES: readonly Breakage[] = [
  {
    rule: 'a state is whole before it is published',
    file: `${MEMORY}control-block.js`,
    whole: 'const at = STATES + (next & 1) * STATE_WORDS;',
    broken: 'const at = STATES + (next & 1) * STATE_WORDS; Atomics.store(i32, SEQUENCE, next);',
    setting: 'memory',
    isRare: true,
  },
  {
    rule: 'a state that was read is looked at again',
    file: `${MEMORY}control-block.js`,
    whole: 'if (Atomics.load(i32, SEQUENCE) === sequence)\n            return state;',
    broken: 'return state;',
    setting: 'memory',
    isRare: true,
  },
  {
    rule: 'a page waits for every state that sees it',
    file: 'writer/pages/free-list.js',
    whole: 'if (state >= run.freedBy)',
    broken: 'if (state >= run.freedBy - 1)',
    setting: 'memory',
  },
  {
    rule: 'pins are read after publishing',
    file: 'writer/commit.js',
    whole: 'pages.dropDeadFrames();\n',
    broken: `pages.dropDeadFrames();
        free.addFreed(pages.freed.splice(0), this.#engine.protectedStates());
`,
    setting: 'gathered',
    isRare: true,
  },
  {
    rule: 'the pins of other openings are asked for',
    file: 'writer/engine.js',
    whole: 'states: pinnedByOthers(this.#locks)',
    broken: 'states: []',
    setting: 'file',
    isRare: true,
  },
  {
    rule: 'a caller says that it sleeps before it looks',
    file: `${MEMORY}channel.js`,
    whole: `Atomics.store(i32, this.#word + CALLER_SLEEPS, 1);
        const done = Atomics.load(i32, this.#word + DONE);
        if (!this.hasAtMost(count))
            Atomics.wait(i32, this.#word + DONE, done, timeoutMs);`,
    broken: `if (!this.hasAtMost(count)) {
            Atomics.store(i32, this.#word + CALLER_SLEEPS, 1);
            Atomics.wait(i32, this.#word + DONE, Atomics.load(i32, this.#word + DONE), timeoutMs);
        }`,
    setting: 'memory',
  },
  {
    rule: 'the writer sleeps on the bell that it last saw',
    file: `${MEMORY}channel.js`,
    whole: 'Atomics.wait(i32, BELL, this.#bell, timeoutMs);',
    broken: 'Atomics.wait(i32, BELL, Atomics.load(i32, BELL), timeoutMs);',
    setting: 'memory',
  },
  {
    rule: 'who reads has what was gathered committed',
    file: 'api/core.js',
    whole: 'if (turn === GATHERS)',
    broken: 'if (false)',
    setting: 'gathered',
  },
  {
    rule: 'a page is found by its checksum too',
    file: `${MEMORY}page-cache.js`,
    whole: `if (i32[record + PAGE] !== pageId || i32[record + LOW] !== low)
                    continue;
                if (i32[record + HIGH] !== high || i32[record + MARK] !== mark)`,
    broken: 'if (i32[record + PAGE] !== pageId || i32[record + MARK] !== mark)',
    setting: 'file',
  },
  {
    rule: 'metas are looked at again when they were written during the look',
    file: 'api/core.js',
    whole: 'while (torn.length > 0 && watch.hasMovedOn())',
    broken: 'while (false)',
    setting: 'file',
    isRare: true,
  },
  {
    rule: 'who waits for a frame does not wait for the dead',
    file: 'writer/pages/dirty-pages.js',
    whole: 'deadSlots(this.memory, threadMayLive)',
    broken: '[]',
    setting: 'memory',
    isRare: true,
  },
  {
    rule: 'the batch of a dead thread is ended',
    file: 'writer/service.js',
    whole: 'this.#executor.abandonBatch();',
    broken: 'return;',
    setting: 'memory',
  },
  {
    rule: 'a writer reads anew what another wrote',
    file: 'writer/turn.js',
    whole: 'known.hasFailed || !this.#watch.hasMoved()',
    broken: 'true',
    setting: 'twoWriters',
  },
];

/** Returns where the modules of the copy are. */
export function breakRule({ file, whole, broken }: Breakage, directory: string): string {
  const root = join(directory, 'dist');
  cpSync(fileURLToPath(DIST), root, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  symlinkSync(fileURLToPath(new URL('../node_modules', DIST)), join(directory, 'node_modules'));
  const path = join(root, file);
  const parts = readFileSync(path, 'utf8').split(whole);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${whole}`);
  writeFileSync(path, parts.join(broken));
  return `${pathToFileURL(root).href}/`;
}
