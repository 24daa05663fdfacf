/**
 * Every request to the writer and its answer, field by field.
 *
 * A segment of the channel is a list of operations that run in order:
 *
 *   offset  size  field of a segment
 *        0     4  length        bytes of all operations
 *        4     4  mode          see the constants; the writer takes a segment by an exchange
 *        8     8  now           ms since the epoch, read once for the call
 *       16        operations, each padded to 8 bytes
 *
 *   offset  size  field of an operation
 *        0     1  code
 *        1     1  flags
 *        2     2  keyLength
 *        4     4  valueLength
 *        8     4  handle        which keyspace, as told by DEFINE
 *       12     4  length        of the operation, padding included
 *       16     8  number        a double: deadline, or what the code says
 *       24        key, value
 *
 * The answer is one status word (0 done, 1 failed), the payload's length, and 8 bytes further the
 * payload: doubles and bytes in the order of the operations that give some, or an error as JSON.
 */
import type { MemoryHandle, SharedMemory } from './shared-memory.js';

export const SEGMENT_HEADER_BYTES = 16;
export const OPERATION_HEADER_BYTES = 24;
export const ANSWER_HEADER_BYTES = 16;

/** Within the batch that is open, or between transactions. */
export const MODE_IN_BATCH = 0;
/** One transaction of its own. */
export const MODE_OWN = 1;
/** Begins a batch. */
export const MODE_BEGIN = 2;
/** Needs no transaction of the caller: done at any time. */
export const MODE_ANYTIME = 5;
/** The writer is at it. */
export const MODE_TAKEN = 3;
/** The caller has given up waiting. */
export const MODE_CANCELLED = 4;

/** Operations. A batch is BEGIN, any of the others, COMMIT or ABORT. */
export const BEGIN = 1;
export const COMMIT = 2;
export const ABORT = 3;
export const SAVEPOINT = 4;
export const RELEASE = 5;
export const ROLL_BACK = 6;
/**
 * Tells the name (value), keys and encryption (flags) of a handle; of full text the key are
 * settings, as text-state.ts writes them.
 */
export const DEFINE = 10;
/** Value is tag and payload; number is the deadline, flags say what of it. */
export const SET = 11;
/** The value and the vector of a key. Answers 1 when either was there. */
export const DELETE = 12;
/** Values and vectors from key to value; see the flags. Answers how many visible values went. */
export const DELETE_RANGE = 13;
/** Number is the high word of the delta, value its low word as 4 bytes. Answers high, low. */
export const INCREMENT = 14;
/** Number is the deadline. Answers 1 when the key was visible. */
export const EXPIRE = 15;
/** Answers 1 when the key had a deadline. */
export const PERSIST = 16;
/** Answers how many went; of one handle, or of all keyspaces with flag ALL_KEYSPACES. */
export const PURGE = 17;
/** Value is the name. Answers 1 when it existed. */
export const DROP = 18;
/** Answers the keyspace's record as it stands in the batch, or nothing. */
export const ROOTS = 19;
/** What was answered by ROOTS stays readable until the batch ends. */
export const FREEZE = 20;
export const SYNC = 21;
export const CLOSE = 22;
/** Part of a long value of the handle's keyspace, before its SET with flag PARTS. */
export const PART = 23;
/**
 * Answers runs of pages that the committed state does not use, in the batch that is open, from the
 * one with the given number on, some at a time: start, length, 1 when the free log stands there.
 */
export const UNUSED = 24;
export const UNUSED_RUN_BYTES = 24;
/** Answers names in the batch as JSON, from the one with the given number on, some at a time. */
export const NAMES = 25;

/** Writes pending commits to the file, without a sync. */
export const WRITE_BEHIND = 26;
/** Commits and publishes what is answered and not committed yet. */
export const SETTLE = 27;

/**
 * Sorted sets and lists. Key is the type and the name, as in collection-names.ts; the value are
 * items, as writer/keyspaces/sorted-set.ts and list.ts draw them.
 */
/** Answers how many members are new, but for flag NO_ANSWER. */
export const ADD_MEMBERS = 30;
/** Answers how many there were. */
export const REMOVE_MEMBERS = 31;
/** Number is the delta. Answers the new scores; a single NaN when nothing was changed. */
export const INCREMENT_MEMBERS = 32;
/** Answers how many members or elements there were. */
export const CLEAR = 33;
/** Value is tag and length with flag PARTS. Answers the length of the list. */
export const PUSH = 34;
/** Answers one of the three, and a record behind POPPED. */
export const POP = 35;
export const POPPED_NOTHING = 0;
export const POPPED = 1;
/** The element has extents; it has gone with flag LONG_TOO only. */
export const POPPED_LONG = 2;

/** Value are the float32 numbers of the key's vector. */
export const SET_VECTOR = 40;
/** Answers 1 when the key had a vector. */
export const DELETE_VECTOR = 41;

/**
 * Puts a document: key is its id, value tag and text, or with flag PARTS tag and length, then its
 * terms (term-stream.ts), of which there are as many bytes as the number says.
 */
export const PUT_TEXT = 50;
/** Answers 1 when there was such a document. */
export const DELETE_TEXT = 51;
/** Value are the terms of the document with the number, for the index that is being built. */
export const INDEX_TEXT = 52;
/** Number is a document that is gone from the index that is being built. */
export const UNINDEX_TEXT = 53;
export const PAUSE_TEXT = 54;
export const BEGIN_REBUILD = 55;
export const END_REBUILD = 56;
/** Value are terms that go before those of the next PUT_TEXT or INDEX_TEXT. */
export const TERMS = 57;

/** Keys of encryption (writer/keyspaces/key-ring.ts). Value is a public key of 32 bytes. */
export const ADD_KEY = 60;
/** Value is a fingerprint of 32 bytes. */
export const REMOVE_KEY = 61;
export const ROTATE_KEY = 62;
/**
 * Key is the name of an encrypted keyspace, value where to begin, nothing at first. Seals some of
 * its pages anew and answers where to go on, nothing at the end.
 */
export const RESEAL = 63;
/** Frees some of what was dropped. Answers 1 while there is more. */
export const FREE_DROPPED = 64;
export const FORGET_KEYS = 65;
/** Answers the public keys of all slots. */
export const KEY_SLOTS = 66;

/** Copying another file: value are the public keys of those who can open what is encrypted. */
export const COPY_KEYS = 69;
/** Copying another file: value is the record that a new keyspace begins with, as in catalog.ts. */
export const COPY_KEYSPACE = 70;
/**
 * Number is the place of a tree (catalog.ts); key and value are the entry that goes to its end.
 * With flag PARTS the value are the record's bytes before its payload and the payload's length.
 */
export const COPY_ENTRY = 71;

export const AT_HEAD = 1;
export const LONG_TOO = 2;
export const NO_ANSWER = 1;
export const KEEP_TTL = 1;
export const HAS_DEADLINE = 2;
export const PARTS = 4;
export const BYTES_KEYS = 1;
export const FULL_TEXT = 2;
export const ENCRYPTED = 4;
export const PLAIN = 8;
export const NO_HIGH_BOUND = 2;
export const ALL_KEYSPACES = 1;

/** Where an operation's fields lie. */
export interface OperationPlace {
  code: number;
  flags: number;
  handle: number;
  number: number;
  keyStart: number;
  keyEnd: number;
  valueEnd: number;
  next: number;
}

export function newOperationPlace(): OperationPlace {
  return {
    code: 0,
    flags: 0,
    handle: 0,
    number: 0,
    keyStart: 0,
    keyEnd: 0,
    valueEnd: 0,
    next: 0,
  };
}

export function readOperation(memory: SharedMemory, address: number, place: OperationPlace): void {
  const { i32, u8, u16, f64 } = memory;
  const word = address >>> 2;
  place.code = u8[address] as number;
  place.flags = u8[address + 1] as number;
  place.handle = i32[word + 2] as number;
  place.number = f64[(address >>> 3) + 2] as number;
  place.keyStart = address + OPERATION_HEADER_BYTES;
  place.keyEnd = place.keyStart + (u16[(address >>> 1) + 1] as number);
  place.valueEnd = place.keyEnd + (i32[word + 1] as number);
  place.next = address + (i32[word + 3] as number);
}

/** Writes the header of an operation whose key and value are in place; returns where it ends. */
export function finishOperation(
  memory: SharedMemory,
  address: number,
  operation: { code: number; flags: number; handle: number; number: number },
  keyLength: number,
  valueLength: number,
): number {
  const word = address >>> 2;
  const size = (OPERATION_HEADER_BYTES + keyLength + valueLength + 7) & ~7;
  memory.i32[word] = operation.code | (operation.flags << 8) | (keyLength << 16);
  memory.i32[word + 1] = valueLength;
  memory.i32[word + 2] = operation.handle;
  memory.i32[word + 3] = size;
  memory.f64[(address >>> 3) + 2] = operation.number;
  return address + size;
}

/** 'full': a commit is on the disk when its call returns. */
export type SyncMode = 'full' | 'none';

/** What the writer is told when it starts; crosses threads. */
export interface WriterStart {
  readonly memory: MemoryHandle;
  readonly path: string;
  /** What the readers have open; by now another file may stand at the path. */
  readonly fileIdentity: string;
  /** The file itself, for ':memory:'. */
  readonly memoryFile: SharedArrayBuffer | undefined;
  readonly bootId: Uint8Array;
  readonly sync: SyncMode;
  /** False: the file is locked already, or the caller has said that nobody else has it. */
  readonly takesLocks: boolean;
  readonly lockTimeoutMs: number;
}
