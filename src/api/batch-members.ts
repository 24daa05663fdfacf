/**
 * What a batch has done to the members of sorted sets, so that `add` can say how many are new
 * without waiting for the writer.
 *
 * While a batch runs nobody else commits. So a member is in the set if the batch added it last, or
 * if the batch did nothing to it and the state before the batch has it; and that state is read on
 * the calling thread. Adds are gathered like sets then. When it is no longer known what the batch
 * has done, because a savepoint was gone back to, a keyspace dropped, or too much is to be
 * remembered, the writer is asked again.
 */
const MEMBERS_MAX = 200_000;

/** What the batch did to one set. */
export class BatchMembers {
  /** True for a member that was added, false for one that was removed. */
  readonly #changed = new Map<string, boolean>();
  /** True when the batch removed all that was there before. */
  #isCleared = false;

  get size(): number {
    return this.#changed.size;
  }

  /** Whether the batch has left the member in the set; undefined when it did nothing to it. */
  has(member: string): boolean | undefined {
    return this.#changed.get(member) ?? (this.#isCleared ? false : undefined);
  }

  note(member: string, isThere: boolean): void {
    this.#changed.set(member, isThere);
  }

  clear(): void {
    this.#changed.clear();
    this.#isCleared = true;
  }
}

/** Of all sets, in the batch that runs. */
export class BatchSets {
  #sets = new Map<string, BatchMembers>();
  #isLost = false;

  /** A batch begins. */
  begin(): void {
    this.#sets = new Map();
    this.#isLost = false;
  }

  /** What the batch did is not known any more. */
  lose(): void {
    this.#sets.clear();
    this.#isLost = true;
  }

  /** What the batch did to a set; undefined when that is not known. */
  of(keyspace: string, set: string): BatchMembers | undefined {
    if (this.#isLost) return undefined;
    const key = `${keyspace.length} ${keyspace}${set}`;
    let members = this.#sets.get(key);
    if (members === undefined) {
      members = new BatchMembers();
      this.#sets.set(key, members);
    }
    if (members.size <= MEMBERS_MAX) return members;
    this.lose();
    return undefined;
  }
}
