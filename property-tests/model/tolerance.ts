/**
 * Answers that the contract leaves open within bounds: the model gives one of these instead.
 *
 * Each says which answers it accepts; everything else is compared for identity.
 */
export abstract class Tolerance {
  abstract accepts(actual: unknown): boolean;
  abstract describe(): string;
}

/** A number that may be anything from `low` to `high`. */
export class Between extends Tolerance {
  readonly low: number;
  readonly high: number;
  constructor(low: number, high: number) {
    super();
    this.low = low;
    this.high = high;
  }
  override accepts(actual: unknown): boolean {
    return typeof actual === 'number' && actual >= this.low && actual <= this.high;
  }
  override describe(): string {
    return `from ${this.low} to ${this.high}`;
  }
}

/** Either true or false. */
export class EitherBoolean extends Tolerance {
  override accepts(actual: unknown): boolean {
    return typeof actual === 'boolean';
  }
  override describe(): string {
    return 'true or false';
  }
}

/** Names in any order: all the certain ones, and any of the possible ones. */
export class Names extends Tolerance {
  readonly certain: readonly string[];
  readonly possible: readonly string[];
  constructor(certain: readonly string[], possible: readonly string[]) {
    super();
    this.certain = certain;
    this.possible = possible;
  }
  override accepts(actual: unknown): boolean {
    if (!Array.isArray(actual) || new Set(actual).size !== actual.length) return false;
    const known = [...this.certain, ...this.possible];
    return (
      this.certain.every((name) => actual.includes(name)) &&
      actual.every((name) => known.includes(name))
    );
  }
  override describe(): string {
    return `[${this.certain.join()}] and perhaps [${this.possible.join()}]`;
  }
}

/** Statistics of a tree that holds all visible keys and perhaps expired ones too. */
export class Statistics extends Tolerance {
  readonly visible: number;
  readonly stored: number;
  constructor(visible: number, stored: number) {
    super();
    this.visible = visible;
    this.stored = stored;
  }
  override accepts(actual: unknown): boolean {
    if (typeof actual !== 'object' || actual === null) return false;
    const stats = new Map<string, unknown>(Object.entries(actual));
    const number = (name: string): number => {
      const value = stats.get(name);
      return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : NaN;
    };
    const keys = number('keys');
    const depth = number('depth');
    const leafPages = number('leafPages');
    const branchPages = number('branchPages');
    const others = number('vectors') + number('sortedSets') + number('lists');
    return (
      keys >= this.visible &&
      keys <= this.stored &&
      number('overflowPages') >= 0 &&
      others === 0 &&
      treeIsPossible({ stored: this.stored, depth, leafPages, branchPages }) &&
      (depth > 0 || keys === 0)
    );
  }
  override describe(): string {
    return `statistics of a sound tree of ${this.visible} to ${this.stored} keys`;
  }
}

interface TreeShape {
  /** Entries at most. */
  stored: number;
  depth: number;
  leafPages: number;
  branchPages: number;
}

/** Whether a tree of at most so many entries can have this shape. */
function treeIsPossible({ stored, depth, leafPages, branchPages }: TreeShape): boolean {
  if (depth === 0) return leafPages === 0 && branchPages === 0;
  if (depth === 1) return leafPages === 1 && branchPages === 0;
  return (
    leafPages > 1 && branchPages >= depth - 1 && branchPages < leafPages && leafPages <= stored
  );
}
