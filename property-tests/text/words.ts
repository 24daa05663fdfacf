/**
 * Words, texts and queries by chance. Few words, a few of them in most texts, and texts of the same
 * length: so that many documents have the same score, and the lists of postings have many blocks.
 */

/** Chooses by a source of chance. */
export class Chooser {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  one<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** All of them in an order by chance. */
  shuffled<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let at = shuffled.length - 1; at > 0; at--) {
      const other = this.below(at + 1);
      [shuffled[at], shuffled[other]] = [shuffled[other] as T, shuffled[at] as T];
    }
    return shuffled;
  }
}

/** What begins a word by its rank: prefixes of each other, upper case, other scripts, marks. */
const STEMS = ['a', 'an', 'Ante', 'é', 'e\u0301x', 'straße', 'ночь', 'Σίσυφος', '𝒳', '7'] as const;
/** Longer than the index keeps, and the same as far as that goes. */
const LONG = 'long'.repeat(64);

/** The word of a rank; another one for each rank. */
export function wordOf(rank: number): string {
  const stem = STEMS[rank % STEMS.length] as string;
  const turn = Math.floor(rank / STEMS.length);
  if (turn === 0) return stem;
  return rank % 97 === 96 ? `${LONG}${rank}` : `${stem}w${turn}x`;
}

export interface Vocabulary {
  readonly size: number;
  /** 0 for words that are all as likely; 1 or so as in language. */
  readonly skew: number;
}

/** A rank, the low ones the more likely. */
export function rankBy(chooser: Chooser, { size, skew }: Vocabulary): number {
  if (skew === 0) return chooser.below(size);
  const spread = 1 + skew * 3;
  return Math.floor(size * (chooser.below(1e6) / 1e6) ** spread);
}

/** A text of so many words. */
export function textOf(chooser: Chooser, vocabulary: Vocabulary, length: number): string {
  const words = Array.from({ length }, () => wordOf(rankBy(chooser, vocabulary)));
  return words.join(chooser.one([' ', '  ', ', ', '\n']));
}

/** Splits at spaces, as no built-in analyzer does, and fails when it is told to. */
export function splitAtSpaces(text: string): string[] {
  if (text.includes(EXPLOSIVE)) throw new Error('thrown by the analyzer');
  return text.split(' ').filter((word) => word !== '');
}
export const EXPLOSIVE = 'explosive';

/** What 'standard' makes of texts of these words. */
export function standardTerms(text: string): string[] {
  const normal = text.normalize('NFKC').toLowerCase();
  return normal.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
}

export interface QueryChoice {
  readonly vocabulary: Vocabulary;
  readonly positions: boolean;
}

/** Up to 8 words, some of them unknown, some again; with positions phrases and prefixes too. */
export function queryOf(chooser: Chooser, { vocabulary, positions }: QueryChoice): string {
  const parts: string[] = [];
  const word = (): string => {
    if (chooser.chance(0.08)) return 'unheardof';
    return wordOf(
      chooser.chance(0.3) ? chooser.below(vocabulary.size) : rankBy(chooser, vocabulary),
    );
  };
  for (let left = chooser.one([0, 1, 1, 2, 2, 3, 4, 8]); left > 0; left--) {
    const roll = chooser.below(10);
    if (roll === 0 && parts.length > 0) parts.push(chooser.one(parts));
    else if (positions && roll < 4) parts.push(phraseOf(chooser, word));
    else if (positions && roll < 6)
      parts.push(`${[...word()].slice(0, 1 + chooser.below(3)).join('')}*`);
    else parts.push(word());
  }
  return parts.join(' ');
}

function phraseOf(chooser: Chooser, word: () => string): string {
  const words = Array.from({ length: chooser.one([0, 1, 2, 2, 2, 3]) }, word);
  if (chooser.chance(0.1)) words.push(words[0] ?? '');
  return `"${words.join(' ')}"`;
}
