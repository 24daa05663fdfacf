/**
 * The operations on sorted sets and lists within the open transaction, one by one.
 */
import { readU32 } from '../shared/bytes/integers.js';
import { OVERFLOW_FLAG } from '../shared/bytes/value-codec.js';
import { SORTED_SET } from '../shared/keyspaces/collection-names.js';
import type { TextSettings } from '../shared/keyspaces/text-state.js';
import * as messages from '../shared/memory/messages.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import type { ExtentPointer } from '../shared/pages/overflow-page.js';
import type { AnswerWriter } from './answer.js';
import type { Engine } from './engine.js';
import { ListWriter } from './keyspaces/list.js';
import type { OpenKeyspace } from './keyspaces/open-keyspace.js';
import { SortedSetWriter } from './keyspaces/sorted-set.js';
import type { KeyRange } from './keyspaces/values.js';

/** What an operation may need of the others. */
export interface OperationContext {
  keyspace(): OpenKeyspace;
  /** The extents of a long value that came in parts. */
  takeExtents(): ExtentPointer[];
  /** What the handle says of full text. */
  settings(): TextSettings | undefined;
}

export class CollectionOperations {
  readonly #memory: SharedMemory;
  readonly #answer: AnswerWriter;
  readonly #sortedSets: SortedSetWriter;
  readonly #lists: ListWriter;

  constructor(engine: Engine, answer: AnswerWriter) {
    this.#memory = engine.memory;
    this.#answer = answer;
    this.#sortedSets = new SortedSetWriter(engine);
    this.#lists = new ListWriter(engine);
  }

  /** False when the code is not of an operation on sorted sets or lists. */
  run(place: messages.OperationPlace, context: OperationContext): boolean {
    const name = { bytes: this.#memory.u8, start: place.keyStart, end: place.keyEnd };
    const end = place.valueEnd;
    const sets = this.#sortedSets;
    switch (place.code) {
      case messages.ADD_MEMBERS:
        this.#add(place, name, context.keyspace());
        break;
      case messages.REMOVE_MEMBERS:
        this.#answer.number(sets.remove(context.keyspace(), name, end));
        break;
      case messages.INCREMENT_MEMBERS:
        for (const sum of sets.increment(context.keyspace(), name, end, place.number)) {
          this.#answer.number(sum);
        }
        break;
      case messages.CLEAR:
        this.#answer.number(this.#clear(name, context.keyspace()));
        break;
      case messages.PUSH:
        this.#answer.number(this.#push(place, name, context));
        break;
      case messages.POP:
        this.#pop(place, name, context.keyspace());
        break;
      default:
        return false;
    }
    return true;
  }

  #add(place: messages.OperationPlace, name: KeyRange, keyspace: OpenKeyspace): void {
    const added = this.#sortedSets.add(keyspace, name, place.valueEnd);
    if ((place.flags & messages.NO_ANSWER) === 0) this.#answer.number(added);
  }

  #clear(name: KeyRange, keyspace: OpenKeyspace): number {
    const isSortedSet = name.bytes[name.start] === SORTED_SET;
    return (isSortedSet ? this.#sortedSets : this.#lists).clear(keyspace, name);
  }

  #push(place: messages.OperationPlace, name: KeyRange, context: OperationContext): number {
    const { flags, keyEnd, valueEnd } = place;
    const end = { atHead: (flags & messages.AT_HEAD) !== 0 };
    if ((flags & messages.PARTS) === 0) {
      return this.#lists.push(context.keyspace(), name, valueEnd, end);
    }
    const { u8 } = this.#memory;
    const [tag, length] = [u8[keyEnd] as number, readU32(u8, keyEnd + 1)];
    const extents = context.takeExtents();
    return this.#lists.pushExtents(context.keyspace(), name, tag, extents, length, end);
  }

  #pop({ flags }: messages.OperationPlace, name: KeyRange, keyspace: OpenKeyspace): void {
    const end = { atHead: (flags & messages.AT_HEAD) !== 0 };
    const mayHaveExtents = (flags & messages.LONG_TOO) !== 0;
    const record = this.#lists.pop(keyspace, name, end, mayHaveExtents);
    if (record === undefined) this.#answer.number(messages.POPPED_NOTHING);
    else if (((record[0] as number) & OVERFLOW_FLAG) !== 0) {
      this.#answer.number(messages.POPPED_LONG);
    } else {
      this.#answer.number(messages.POPPED);
      this.#answer.bytes(record);
    }
  }
}
