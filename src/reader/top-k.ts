/**
 * The greatest k of a stream of numbers: a binary heap with the least of them on top.
 */
export class TopK {
  readonly #heap: number[] = [];
  readonly #k: number;

  constructor(k: number) {
    this.#k = k;
  }

  /** What a number has to reach to be among the greatest k. */
  get threshold(): number {
    return this.#heap.length < this.#k ? Number.NEGATIVE_INFINITY : (this.#heap[0] as number);
  }

  add(value: number): void {
    const heap = this.#heap;
    if (heap.length < this.#k) this.#rise(value);
    else if (value > (heap[0] as number)) this.#sink(value);
  }

  #rise(value: number): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if ((heap[parent] as number) <= value) break;
      heap[at] = heap[parent] as number;
      at = parent;
    }
    heap[at] = value;
  }

  /** Takes the place of the least. */
  #sink(value: number): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && (heap[right] as number) < (heap[child] as number)) child = right;
      if ((heap[child] as number) >= value) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = value;
  }
}
