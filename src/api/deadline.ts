/**
 * When a key expires, from what a caller says of it.
 */
import { invalidType, outOfRange } from '../shared/errors.js';
import { DEADLINE_MAX } from '../shared/limits.js';
import { HAS_DEADLINE, KEEP_TTL } from '../shared/memory/messages.js';

/** When a value is to expire: at most one of the three; with none of them, never. */
export interface SetOptions {
  /** Seconds to live, more than 0; fractions are allowed, and rounded up to a millisecond. */
  ttl?: number;
  /** The moment itself: a Date, or milliseconds since the epoch. What is past removes the key. */
  expiresAt?: Date | number;
  /** True: the deadline that the key has stays. */
  keepTtl?: boolean;
}

/** What a set does to the key's deadline; `isPast` means that the key is to be removed. */
export interface DeadlineRequest {
  readonly flags: number;
  readonly deadline: number;
  readonly isPast: boolean;
}

const NO_DEADLINE: DeadlineRequest = { flags: 0, deadline: 0, isPast: false };
const KEEP: DeadlineRequest = { flags: KEEP_TTL, deadline: 0, isPast: false };

/** @throws {TypeError | RangeError} as SetOptions says. */
export function deadlineRequest(options: SetOptions | undefined, now: number): DeadlineRequest {
  if (options === undefined) return NO_DEADLINE;
  if (typeof options !== 'object' || options === null) {
    throw invalidType('options', 'an object', options);
  }
  const { ttl, expiresAt, keepTtl } = options;
  if (keepTtl !== undefined && typeof keepTtl !== 'boolean') {
    throw invalidType('keepTtl', 'a boolean', keepTtl);
  }
  const given =
    Number(ttl !== undefined) + Number(expiresAt !== undefined) + Number(keepTtl === true);
  if (given > 1) throw invalidType('options', 'one of ttl, expiresAt and keepTtl', options);
  if (keepTtl === true) return KEEP;
  if (ttl !== undefined) {
    if (typeof ttl !== 'number') throw invalidType('ttl', 'a number', ttl);
    if (!(ttl > 0)) throw outOfRange('ttl', 'a positive number of seconds', ttl);
    return { flags: HAS_DEADLINE, deadline: deadlineAfter('ttl', ttl, now), isPast: false };
  }
  return expiresAt === undefined ? NO_DEADLINE : momentRequest(expiresAt, now);
}

function momentRequest(expiresAt: Date | number, now: number): DeadlineRequest {
  const moment = expiresAt instanceof Date ? expiresAt.getTime() : expiresAt;
  if (typeof moment !== 'number') throw invalidType('expiresAt', 'a Date or a number', moment);
  const deadline = Math.ceil(moment);
  if (Number.isNaN(moment) || deadline > DEADLINE_MAX) {
    throw outOfRange('expiresAt', 'a moment within 48 bits of milliseconds', moment);
  }
  return { flags: HAS_DEADLINE, deadline, isPast: deadline <= now };
}

/** Milliseconds since the epoch, rounded up. */
export function deadlineAfter(name: string, seconds: number, now: number): number {
  // At least one: a sum with the clock may swallow what is far below a millisecond.
  const deadline = Math.max(Math.ceil(now + seconds * 1000), Math.floor(now) + 1);
  if (!(deadline <= DEADLINE_MAX))
    throw outOfRange(name, 'a number of seconds below 2^38', seconds);
  return deadline;
}
