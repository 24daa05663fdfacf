/**
 * A lazy walk over one snapshot, with the helpers of ECMAScript's iterators.
 */

import { invalidType } from '../shared/errors.js';

/** What an iterator draws from; `next` gives undefined at the end. */
export interface ItemSource<T> {
  next(): { readonly item: T } | undefined;
  close(): void;
}

/**
 * Lazily reads one snapshot taken at its creation; writes made meanwhile neither disturb nor
 * appear. Leaving it by `break`, `return()`, exhaustion, `using` or garbage collection releases the
 * snapshot.
 */
export class RangeIterator<T> implements IterableIterator<T>, Disposable {
  readonly #source: ItemSource<T>;
  #done = false;

  /** @internal */
  constructor(source: ItemSource<T>) {
    this.#source = source;
  }

  /**
   * @throws {MnemeError} `ERR_MNEME_CLOSED`, `ERR_MNEME_BATCH_CLOSED` when what it reads is gone.
   */
  next(): IteratorResult<T> {
    if (this.#done) return { value: undefined, done: true };
    const next = this.#source.next();
    if (next !== undefined) return { value: next.item, done: false };
    this.#close();
    return { value: undefined, done: true };
  }

  /** Ends the walk and releases the snapshot; `for ... of` calls it on the way out. */
  return(value?: unknown): IteratorResult<T> {
    this.#close();
    return { value, done: true };
  }

  /** The iterator itself. */
  [Symbol.iterator](): this {
    return this;
  }

  /** The same as `return`, for `using`. */
  [Symbol.dispose](): void {
    this.#close();
  }

  #close(): void {
    if (this.#done) return;
    this.#done = true;
    this.#source.close();
  }

  /** An iterator over what `fn` makes of each item. */
  map<U>(fn: (item: T) => U): RangeIterator<U> {
    checkFunction(fn);
    return this.#derive((next) => {
      const item = next();
      return item === undefined ? undefined : { item: fn(item.item) };
    });
  }

  /** An iterator over the items for which `fn` is true. */
  filter(fn: (item: T) => boolean): RangeIterator<T> {
    checkFunction(fn);
    return this.#derive((next) => {
      for (let item = next(); item !== undefined; item = next()) if (fn(item.item)) return item;
      return undefined;
    });
  }

  /** An iterator over the first `count` items. */
  take(count: number): RangeIterator<T> {
    let left = checkCount(count);
    return this.#derive((next) => (left-- > 0 ? next() : undefined));
  }

  /** An iterator over all but the first `count` items. */
  drop(count: number): RangeIterator<T> {
    let left = checkCount(count);
    return this.#derive((next) => {
      for (; left > 0; left--) if (next() === undefined) return undefined;
      return next();
    });
  }

  /** All items that are left. */
  toArray(): T[] {
    const items: T[] = [];
    for (let next = this.next(); next.done !== true; next = this.next()) items.push(next.value);
    return items;
  }

  #derive<U>(
    step: (next: () => { readonly item: T } | undefined) => { readonly item: U } | undefined,
  ): RangeIterator<U> {
    const draw = (): { readonly item: T } | undefined => {
      const next = this.next();
      return next.done === true ? undefined : { item: next.value };
    };
    return new RangeIterator<U>({
      next: () => {
        try {
          return step(draw);
        } catch (error) {
          this.#close();
          throw error;
        }
      },
      close: () => this.#close(),
    });
  }
}

function checkFunction(fn: unknown): void {
  if (typeof fn !== 'function') throw invalidType('fn', 'a function', fn);
}

function checkCount(count: number): number {
  const whole = Math.trunc(Number(count));
  if (Number.isNaN(whole) || whole < 0) {
    const error = new RangeError(`count must be a non-negative number, got ${String(count)}`);
    throw Object.assign(error, { code: 'ERR_OUT_OF_RANGE' });
  }
  return whole;
}
