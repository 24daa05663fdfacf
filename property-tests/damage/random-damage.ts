/**
 * What may be done to a file, chosen by chance: fields that mean something, pointers, slots, or any
 * byte get another content; a free log of one's own tells lies.
 */

/** Numbers that choose among what there is are taken modulo its count. */
export type Change =
  | { readonly kind: 'field'; readonly group: number; readonly place: number; readonly to: Content }
  | { readonly kind: 'byte'; readonly place: number; readonly value: number }
  | { readonly kind: 'pointer'; readonly place: number; readonly target: number }
  | { readonly kind: 'slot'; readonly place: number; readonly target: number }
  /** These leave a node that is sound by itself, and wrong in what it says. */
  | { readonly kind: 'shorten'; readonly place: number; readonly bytes: number }
  | { readonly kind: 'remove'; readonly place: number }
  | { readonly kind: 'prefix'; readonly place: number; readonly value: number }
  | FreeChange;

/** Runs of pages as start, length, start, length, …, modulo the pages of the file. */
export interface FreeChange {
  readonly kind: 'free';
  /** When the pages were freed: long ago, by the newest transaction, or by none yet. */
  readonly when: 'old' | 'new' | 'future';
  readonly taken: readonly number[];
  readonly freed: readonly number[];
}

export type Content =
  | { readonly kind: 'set'; readonly value: number }
  | { readonly kind: 'add'; readonly value: number }
  | { readonly kind: 'flip'; readonly value: number };

export interface Damage {
  readonly owner: number;
  readonly part: number;
  readonly changes: readonly Change[];
  /** True when the other meta stays as it was. */
  readonly oneMeta: boolean;
}

const EDGES = [
  ...[0, 1, 2, 3, 4, 7, 8, 31, 32, 33, 127, 128, 254, 255, 256, 1023, 1024, 1040, 1041],
  ...[4085, 4095, 4096, 4097, 32767, 32768, 65535, 2 ** 20, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1],
  ...[2 ** 40, 2 ** 47, 2 ** 48 - 1],
] as const;

/** By how often they are chosen. */
const KINDS = [
  ...(['field', 'field', 'field', 'field', 'field', 'field', 'byte', 'byte'] as const),
  ...(['pointer', 'pointer', 'slot', 'shorten', 'shorten', 'remove', 'prefix', 'free'] as const),
] as const;

const WHEN = ['old', 'old', 'new', 'new', 'future'] as const;
const CHOICE_MAX = 2 ** 30;

export class DamageChooser {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  damage(): Damage {
    const changes = Array.from({ length: 1 + this.#below(3) }, () => this.#change());
    return {
      owner: this.#below(CHOICE_MAX),
      part: this.#below(CHOICE_MAX),
      changes,
      oneMeta: this.#below(10) === 0,
    };
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #one<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T;
  }

  #change(): Change {
    const kind = this.#one(KINDS);
    const place = this.#below(CHOICE_MAX);
    switch (kind) {
      case 'field':
        return { kind, group: this.#below(3), place, to: this.#content() };
      case 'byte':
      case 'prefix':
        return { kind, place, value: this.#below(256) };
      case 'pointer':
      case 'slot':
        return { kind, place, target: this.#below(CHOICE_MAX) };
      case 'shorten':
        return { kind, place, bytes: this.#below(this.#below(2) === 0 ? 25 : 2000) };
      case 'remove':
        return { kind, place };
      case 'free':
        return { kind, when: this.#one(WHEN), taken: this.#runs(), freed: this.#runs() };
    }
  }

  #content(): Content {
    switch (this.#below(4)) {
      case 0:
        return { kind: 'set', value: this.#one(EDGES) };
      case 1:
        return { kind: 'set', value: this.#below(601) };
      case 2:
        return { kind: 'add', value: this.#below(81) - 40 };
      default:
        return { kind: 'flip', value: this.#below(48) };
    }
  }

  #runs(): number[] {
    const runs: number[] = [];
    for (let left = this.#below(4); left > 0; left--) {
      runs.push(this.#below(this.#below(2) === 0 ? 100 : CHOICE_MAX), this.#below(5));
    }
    return runs;
  }
}
