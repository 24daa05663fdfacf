/**
 * An iterator of the model: all its items are known from the start, so no later write can matter.
 */
import { ModelError } from './model-error.js';
import { checkWholeNumber } from './model-range.js';
import type { SubjectIterator } from './subject.js';

export class ModelIterator<T> implements SubjectIterator<T> {
  readonly #items: readonly T[];
  readonly #isOpen: () => boolean;
  #position = 0;

  constructor(items: readonly T[], isOpen: () => boolean) {
    this.#items = items;
    this.#isOpen = isOpen;
  }

  next(): IteratorResult<T> {
    if (!this.#isOpen()) throw new ModelError('ERR_MNEME_CLOSED');
    if (this.#position >= this.#items.length) return { done: true, value: undefined };
    const value = this.#items[this.#position] as T;
    this.#position += 1;
    return { done: false, value };
  }

  return(value?: unknown): IteratorResult<T> {
    this.#position = this.#items.length;
    return { done: true, value };
  }

  map<U>(fn: (item: T) => U): SubjectIterator<U> {
    return this.#derived(this.#rest().map((item) => fn(item)));
  }

  filter(fn: (item: T) => boolean): SubjectIterator<T> {
    return this.#derived(this.#rest().filter((item) => fn(item)));
  }

  take(count: number): SubjectIterator<T> {
    checkWholeNumber(count);
    return this.#derived(this.#rest().slice(0, count));
  }

  drop(count: number): SubjectIterator<T> {
    checkWholeNumber(count);
    return this.#derived(this.#rest().slice(count));
  }

  toArray(): T[] {
    const rest: T[] = [];
    for (let result = this.next(); result.done !== true; result = this.next()) {
      rest.push(result.value);
    }
    return rest;
  }

  [Symbol.iterator](): this {
    return this;
  }

  #rest(): readonly T[] {
    return this.#items.slice(this.#position);
  }

  #derived<U>(items: readonly U[]): ModelIterator<U> {
    return new ModelIterator(items, this.#isOpen);
  }
}
