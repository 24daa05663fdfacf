/**
 * Every limit, in one place, so that how they relate can be seen and asserted.
 */
import { assert } from './assert.js';

export const KEY_BYTES_MAX = 1024;
/** Keys of our own trees: a user's key with what we put before it. */
export const TREE_KEY_BYTES_MAX = KEY_BYTES_MAX + 16;
export const KEYSPACE_NAME_BYTES_MAX = 255;
export const ANALYZER_NAME_BYTES_MAX = 255;
export const VALUE_BYTES_MAX = 2 ** 30 - 1;

export const PAGE_SIZE_MIN = 4096;
export const PAGE_SIZE_MAX = 65536;
export const PAGE_SIZE_DEFAULT = 4096;

/** The end of each page, which no node uses: what seals it (pages/page-cipher.ts), or zeros. */
export const PAGE_TRAILER_BYTES = 48;

/** The two meta areas; data pages start behind them. */
export const META_AREA_BYTES = 65536;
export const DATA_START_BYTES = 2 * META_AREA_BYTES;

/** An overflow extent: contiguous pages, read and written in one call. */
export const EXTENT_BYTES_MAX = 2 ** 20;

export const CACHE_BYTES_MIN = 2 ** 20;
export const CACHE_BYTES_DEFAULT = 256 * 2 ** 20;
export const CACHE_BYTES_MAX = Math.floor(3.9 * 2 ** 30);
/** Enough for the dirty paths of any single operation, whatever the page size. */
export const FRAME_COUNT_MIN = 256;

/** A deadline is milliseconds since the epoch in 48 bits. */
export const DEADLINE_MAX = 2 ** 48 - 1;

/** A term of an index in UTF-8; longer ones are cut, so that a byte holds their size. */
export const TERM_BYTES_MAX = 255;

/** Numbers in a vector. */
export const VECTOR_DIMENSION_MAX = 16384;
/** Vectors in a keyspace: kernels number them with 31 bits. */
export const VECTOR_COUNT_MAX = 2 ** 31 - 1;

export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;

/** A tree of two entries a node and 2^48 entries would be no higher than twice this. */
export const TREE_LEVELS_MAX = 24;

export const THREAD_SLOT_COUNT = 64;
export const PIN_COUNT = 4096;

/** Expired keys that a commit removes besides its own work. */
export const SWEEP_KEYS_MAX = 16;
/** Pages of dropped keyspaces that a commit frees besides its own work. */
export const DROPPED_PAGES_MAX = 1024;

assert(DATA_START_BYTES % PAGE_SIZE_MAX === 0, 'data starts at a page of every size');
assert(TREE_KEY_BYTES_MAX * 3 < PAGE_SIZE_MIN - 512, 'three of the longest entries fit a node');
