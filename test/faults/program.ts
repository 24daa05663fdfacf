/**
 * Programs of this folder run as processes of their own, under limits that a shell sets first.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A process that hangs is told from one that is slow. */
const HANG_MS = 60_000;

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs children/`name`.mjs to its end.
 * @param prelude - What the shell does before it becomes the program.
 */
export function run(prelude: string, name: string, ...parameters: readonly string[]): Ended {
  const program = fileURLToPath(new URL(`./children/${name}.mjs`, import.meta.url));
  const script = `${prelude}\nexec "$0" "$@"`;
  return spawnSync('sh', ['-c', script, process.execPath, program, ...parameters], {
    encoding: 'utf8',
    timeout: HANG_MS,
  });
}

/** What a program says as its only line, once it has ended well. */
export function reportOf({ status, signal, stdout, stderr }: Ended): Record<string, unknown> {
  if (status !== 0) throw new Error(`ended by ${signal ?? status}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/**
 * Like `run`, with `directory` a file system of its own of so many bytes, which only the program
 * sees; undefined, and one line that says so, where the machine does not permit that.
 */
export function runOnOwnDisk(
  directory: string,
  sizeBytes: number,
  prelude: string,
  name: string,
  ...parameters: readonly string[]
): Ended | undefined {
  const mount = `mount -t tmpfs -o size=${sizeBytes} tmpfs '${directory}'`;
  if (!mayMount(directory)) {
    process.stdout.write('this machine permits no mounts: a disk of its own was not tried\n');
    return undefined;
  }
  const program = fileURLToPath(new URL(`./children/${name}.mjs`, import.meta.url));
  const script = `${mount} || exit 99\n${prelude}\nexec "$0" "$@"`;
  const inner = ['sh', '-c', script, process.execPath, program, ...parameters];
  return spawnSync('unshare', ['-rm', ...inner], { encoding: 'utf8', timeout: HANG_MS });
}

function mayMount(directory: string): boolean {
  const attempt = ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', directory];
  return spawnSync('unshare', attempt, { timeout: HANG_MS }).status === 0;
}
