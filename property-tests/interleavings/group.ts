/**
 * A group of rounds on one database: starts the actors, ends those that are killed for good, and
 * says what came of it.
 */
import { Worker } from 'node:worker_threads';
import type { WriterStart } from '../../src/shared/memory/messages.js';
import { generationOfEntries } from './actors/generations.mjs';
import * as at from './actors/layout.mjs';

const ACTOR = new URL('./actors/actor.mjs', import.meta.url);
export const DIST = new URL('../../dist/', import.meta.url).href;

/** Fewer than can be asked for, so that frames are used anew all the time. */
const FRAMES = 48;

/** What a group's database is like, and who works on it. */
export interface Setting {
  readonly title: string;
  readonly isFile: boolean;
  readonly sync: 'full' | 'none';
  /** By opening, its clients: of eight actions of each so many write. */
  readonly clients: readonly (readonly number[])[];
  readonly withoutWebAssembly?: boolean;
}

export interface GroupOptions {
  readonly setting: Setting;
  readonly seed: number;
  readonly rounds: number;
  readonly roundsBetweenKills: number;
  /** Where the built modules are. */
  readonly dist?: string;
  readonly path: string;
}

export interface Outcome {
  readonly failure: string | undefined;
  readonly rounds: number;
  readonly switches: number;
  readonly kills: number;
  readonly trace: number;
  /** The newest generation that was acknowledged, and that was begun. */
  readonly acked: number;
  readonly started: number;
}

interface Opening {
  readonly index: number;
  readonly shared: unknown;
  readonly start: WriterStart;
}

interface Message {
  readonly kind: 'ready' | 'kill' | 'end' | 'failure';
  readonly victim?: number;
  readonly next?: number;
  readonly text?: string;
  readonly actor?: number;
  readonly round?: number;
}

/** What of an actor does not change when its thread is replaced. */
interface Part {
  readonly opening: Opening;
  readonly role: 'writer' | 'client';
  readonly writesInEight: number;
}

/** Runs a group's rounds; a failure of the database is in the outcome. */
export async function runGroup(options: GroupOptions): Promise<Outcome> {
  const group = new Group(options);
  try {
    return await group.run();
  } finally {
    await group.end();
  }
}

class Group {
  readonly #options: GroupOptions;
  readonly #dist: string;
  readonly #control = new SharedArrayBuffer(at.CONTROL_BYTES + at.TIMES_BYTES);
  readonly #words = new Int32Array(this.#control, 0, at.CONTROL_BYTES / 4);
  readonly #workers: Worker[] = [];
  #parts: readonly Part[] = [];
  #deliver: (message: Message) => void = () => undefined;

  constructor(options: GroupOptions) {
    this.#options = options;
    this.#dist = options.dist ?? DIST;
  }

  async run(): Promise<Outcome> {
    const { setting } = this.#options;
    const openings: Opening[] = [];
    for (const index of setting.clients.keys()) {
      openings.push(await openPlaces(this.#options, this.#dist, index));
    }
    const writers = openings.map((opening): Part => {
      return { opening, role: 'writer', writesInEight: 0 };
    });
    const clients = openings.flatMap((opening) =>
      (setting.clients[opening.index] ?? []).map((writesInEight): Part => {
        return { opening, role: 'client', writesInEight };
      }),
    );
    this.#parts = [...writers, ...clients];
    this.#prepareWords();
    await Promise.all([...this.#parts.keys()].map((actor) => this.#startActor(actor)));
    const outcome = this.#outcome(await this.#watch());
    await this.end();
    if (outcome.failure !== undefined || !setting.isFile) return outcome;
    return { ...outcome, failure: await this.#reopened(outcome) };
  }

  /** What is wrong with the file after its threads were ended in the middle of their work. */
  async #reopened({ acked, started }: Outcome): Promise<string | undefined> {
    const { path, setting } = this.#options;
    const { open } = await import(`${this.#dist}api/database.js`);
    const database = open(path);
    try {
      const { ok, problems } = database.verify();
      if (!ok) return `reopened: ${JSON.stringify(problems)}`;
      const entries = database.keyspace('generations').range().toArray();
      const generation = entries.length === 0 ? 0 : generationOfEntries(entries);
      const low = setting.sync === 'full' ? acked : 0;
      const isRight = generation >= low && generation <= started;
      return isRight ? undefined : `reopened: ${generation} is not from ${low} to ${started}`;
    } finally {
      database.close();
    }
  }

  #prepareWords(): void {
    const { seed, rounds, roundsBetweenKills, setting } = this.#options;
    const words = this.#words;
    words[at.RANDOM] = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) | 1;
    words[at.COUNTDOWN] = 20;
    words[at.DRAWN] = 20;
    words[at.GAP_MAX] = 20;
    words[at.LAST_ROUND] = rounds;
    words[at.ACTOR_COUNT] = this.#parts.length;
    words[at.ROUNDS_BETWEEN_KILLS] = roundsBetweenKills;
    words[at.ENDS_ABRUPTLY] = setting.isFile ? 1 : 0;
    for (const [actor, { role }] of this.#parts.entries()) {
      words[at.actorWord(actor) + at.IS_CLIENT] = role === 'client' ? 1 : 0;
    }
  }

  /** Returns when the thread waits for its first turn. */
  async #startActor(actor: number): Promise<void> {
    const { setting } = this.#options;
    const { opening, role, writesInEight } = this.#parts[actor] as Part;
    const counterId = role === 'client' ? (this.#words[at.COUNTER_COUNT] as number)++ : 0;
    const worker = new Worker(ACTOR, {
      workerData: {
        ...opening.start,
        ...{ control: this.#control, actor, role, dist: this.#dist, shared: opening.shared },
        ...{ opening: opening.index, openingCount: setting.clients.length },
        ...{ writesInEight, counterId, isFile: setting.isFile },
        withoutWebAssembly: setting.withoutWebAssembly === true,
      },
      execArgv: [],
    });
    this.#workers[actor] = worker;
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message: Message) => {
        if (message.kind === 'ready') resolve();
        else this.#deliver(message);
      });
      worker.on('error', (error) => {
        reject(error);
        this.#deliver({ kind: 'failure', text: String(error.stack), actor, round: -1 });
      });
    });
  }

  /** Gives the first turn and replaces who is killed; returns what ended the rounds. */
  async #watch(): Promise<Message> {
    let next = this.#parts.length - 1;
    for (;;) {
      const told = new Promise<Message>((resolve) => {
        this.#deliver = resolve;
      });
      this.#giveTurn(next);
      const message = await told;
      if (message.kind !== 'kill') return message;
      const victim = message.victim as number;
      await this.#workers[victim]?.terminate();
      await this.#startActor(victim);
      this.#words[at.actorWord(victim) + at.STATE] = at.READY;
      next = message.next === -1 ? victim : (message.next as number);
    }
  }

  #giveTurn(actor: number): void {
    const go = at.actorWord(actor) + at.GO;
    Atomics.store(this.#words, go, 1);
    Atomics.notify(this.#words, go);
  }

  #outcome({ kind, text, actor, round }: Message): Outcome {
    const words = this.#words;
    const word = (index: number) => words[index] as number;
    const { title } = this.#options.setting;
    const place = `${title}, round ${round}, actor ${actor}`;
    return {
      failure: kind === 'end' ? undefined : `${place}: ${text}`,
      rounds: word(at.ROUND),
      switches: word(at.SWITCHES),
      kills: word(at.KILLS),
      trace: word(at.TRACE) >>> 0,
      acked: word(at.ACKED),
      started: word(at.STARTED),
    };
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/** Makes the memory of an opening, and the file when it is the first. */
async function openPlaces(
  { setting, path }: GroupOptions,
  dist: string,
  index: number,
): Promise<Opening> {
  const { isFile, sync } = setting;
  const { openDatabaseFile, firstMeta, bootIdBytes } = await import(`${dist}api/open-file.js`);
  const { checkOptions } = await import(`${dist}api/options.js`);
  const { publishState } = await import(`${dist}shared/memory/control-block.js`);
  const { releaseThreadSlot } = await import(`${dist}shared/memory/thread-slots.js`);
  const { clock, ...options } = checkOptions({ sync, cacheSize: 2 ** 20, lockTimeout: 300 });
  const place = isFile ? path : ':memory:';
  const opened = openDatabaseFile(place, { ...options, clock });
  const { storage, file, memory, slot, memoryFile } = opened;
  const window = memory.scratchAddress(slot.index);
  publishState(memory, firstMeta(file, { memory, window }, place).meta);
  const fileIdentity = storage.identity(file);
  releaseThreadSlot(memory, slot);
  file.close();
  const handle = { ...memory.handle, frameCount: FRAMES };
  const places = { memory: handle, memoryFile };
  const start = {
    ...{ memory: handle, path: place, fileIdentity, memoryFile, sync },
    ...{ bootId: bootIdBytes(), takesLocks: isFile, lockTimeoutMs: 300 },
  };
  return { index, shared: { kind: 'mneme-shared', path: place, options, places }, start };
}
