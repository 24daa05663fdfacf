/**
 * The records that every store gets: deterministic, so that two runs measure the same thing.
 *
 * Record i has the key `user:<i, ten digits>:<field>`, so record order is key order and a prefix of
 * `user:` and seven digits holds exactly 1000 keys. Fields have 1 to 16 characters, keys 17 to 32
 * bytes; values have 100 to 200. Values are cut out of one text of random letters and digits, which
 * no block compressor can shrink: otherwise the bytes a record would measure the text, not the
 * store.
 *
 * All strings are flat one-byte strings, as they come out of a network buffer. A string built by
 * concatenation is a tree inside V8, and the first store to touch it would pay for flattening it.
 */
import { shuffler } from 'd3-array';
import { randomInt, randomLcg } from 'd3-random';

/** @typedef {'text' | 'bytes'} ValueKind */
/** @typedef {string | Uint8Array} Value */
/** @typedef {{ keys: string[], values: Value[] }} Batch */

const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-';
const FIELDS = [
  ...['a', 'id', 'bio', 'name', 'email', 'avatar', 'profile', 'settings', 'addresses'],
  ...['last-login', 'preferences', 'subscription', 'notifications', 'payment-method'],
  ...['two-factor-auth', 'marketing-opt-in'],
];
const ID_DIGITS = 10;
const DIGITS_BELOW_PREFIX = 3;
export const KEYS_PER_PREFIX = 10 ** DIGITS_BELOW_PREFIX;

const POOL_SIZE_BYTES = 1024 * 1024;
const VALUE_SIZE_MIN = 100;
const VALUE_SIZE_MAX = 200;

// Steps that share no factor with what they are taken modulo of: neighbours differ, none repeats.
const FIELD_STEP = 7;
const SIZE_STEP = 37;
const OFFSET_STEP = 104_729;
const GENERATION_STEP = 7_368_787;

const poolLetter = randomInt.source(randomLcg(1))(0, ALPHABET.length);
const pool = Buffer.from(
  Array.from({ length: POOL_SIZE_BYTES }, () => ALPHABET.charCodeAt(poolLetter())),
);

/** @param {string} text */
function flat(text) {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** @param {number} index */
function idOf(index) {
  return `user:${String(index).padStart(ID_DIGITS, '0')}`;
}

/** @param {number} index */
export function keyAt(index) {
  return flat(`${idOf(index)}:${FIELDS[(index * FIELD_STEP) % FIELDS.length]}`);
}

/**
 * A key that no record has, between two that exist.
 * @param {number} index
 */
export function absentKeyAt(index) {
  return flat(`${idOf(index)}:missing`);
}

/**
 * A prefix that KEYS_PER_PREFIX keys have.
 * @param {number} group counted from 0
 */
export function prefixAt(group) {
  return flat(idOf(group * KEYS_PER_PREFIX).slice(0, -DIGITS_BELOW_PREFIX));
}

/**
 * @param {number} index
 * @param {number} [generation] another value for the same record, of another size
 */
export function valueSizeAt(index, generation = 0) {
  const sizes = VALUE_SIZE_MAX - VALUE_SIZE_MIN + 1;
  return VALUE_SIZE_MIN + ((index * SIZE_STEP + generation * GENERATION_STEP) % sizes);
}

/**
 * @param {ValueKind} kind
 * @param {number} index
 * @param {number} [generation]
 * @returns {Value} bytes are a view of the pool: not to be changed
 */
export function valueAt(kind, index, generation = 0) {
  const size = valueSizeAt(index, generation);
  const places = POOL_SIZE_BYTES - VALUE_SIZE_MAX;
  const offset = (index * OFFSET_STEP + generation * GENERATION_STEP) % places;
  return kind === 'text'
    ? pool.toString('latin1', offset, offset + size)
    : pool.subarray(offset, offset + size);
}

/**
 * Numbers 0 to count - 1 in an order that only the seed decides.
 * @param {number} count
 * @param {number} seed
 */
export function shuffledIndexes(count, seed) {
  const indexes = Uint32Array.from({ length: count }, (_, index) => index);
  return shuffler(randomLcg(seed))(indexes);
}

/**
 * The whole set of records, with every key made once and kept.
 */
export class Dataset {
  /** @param {number} records */
  constructor(records) {
    this.records = records;
    this.keys = Array.from({ length: records }, (_, index) => keyAt(index));
    this.shuffled = shuffledIndexes(records, 2);
    this.keySizeTotal = this.keys.reduce((sum, key) => sum + key.length, 0);
    this.valueSizeTotal = 0;
    for (let index = 0; index < records; index += 1) this.valueSizeTotal += valueSizeAt(index);
  }

  /** Mean bytes of key and value together. */
  get payloadSizeMean() {
    return (this.keySizeTotal + this.valueSizeTotal) / this.records;
  }

  /**
   * Everything, in the order of insertion; made before the clock starts.
   * @param {ValueKind} kind
   * @param {'sorted' | 'random'} order
   * @returns {Batch}
   */
  all(kind, order) {
    /** @type {Batch} */
    const batch = { keys: [], values: [] };
    for (let position = 0; position < this.records; position += 1) {
      const index = order === 'sorted' ? position : this.shuffled[position];
      batch.keys.push(this.keys[index]);
      batch.values.push(valueAt(kind, index));
    }
    return batch;
  }

  /**
   * `count` records at shuffled places from `start` on, wrapping round at the end.
   * @param {number} start
   * @param {number} count
   */
  shuffledSlice(start, count) {
    return Array.from({ length: count }, (_, step) => this.shuffled[(start + step) % this.records]);
  }

  /**
   * New values for `count` shuffled records.
   * @param {number} start
   * @param {number} count
   * @param {number} generation above 0
   * @returns {Batch}
   */
  updates(start, count, generation) {
    const indexes = this.shuffledSlice(start, count);
    return {
      keys: indexes.map((index) => this.keys[index]),
      values: indexes.map((index) => valueAt('text', index, generation)),
    };
  }
}
