/**
 * Vectors for texts, learned from those texts alone: texts that share rare words, or words that
 * keep the same company, point in similar directions. No model, no download, the same on every run.
 *
 * 1. A text counts as its words: three letters and more, in lower case, without common endings.
 *    Words of one text only, and of more than a quarter of all, say nothing about what is alike.
 * 2. A word weighs ln(texts / texts that have it), a text's use of it 1 + ln(times): TF-IDF.
 * 3. Every word gets a random direction, all +1 and -1, from a seed. The weighted sum over a text's
 *    words is the text's TF-IDF vector, projected to a few hundred dimensions: angles stay roughly
 *    as they were (Johnson and Lindenstrauss).
 * 4. A word's learned direction is the sum over the texts that have it, less what all texts have in
 *    common. So words that stand in the same texts come to point the same way.
 * 5. A text's vector is the weighted sum of its words' learned directions, of length 1.
 *
 * An embedding model knows more than these texts say; its vectors take the place of these as they
 * are.
 */
const DIMENSION = 256;
const SEED = 20_240_229;
const TEXTS_MIN = 2;
const SHARE_MAX = 1 / 4;
/** What is left of a word without these is mostly the same word. */
const ENDINGS = [/ies$/, /(?<=[^s])s$/, /(?<=....)(?:ing|ed|ly)$/];

/** Words as they are written, and what is left of them: most stand in many texts. */
const stems = new Map();

function stemOf(word) {
  let stem = stems.get(word);
  if (stem === undefined) {
    stem = ENDINGS.reduce((rest, ending) => rest.replace(ending, ''), word);
    stems.set(word, stem);
  }
  return stem;
}

/** A text as its words with how often it uses each. */
function countWords(text) {
  const counts = new Map();
  for (const word of text.toLowerCase().match(/\p{L}{3,}/gu) ?? []) {
    const stem = stemOf(word);
    counts.set(stem, (counts.get(stem) ?? 0) + 1);
  }
  return counts;
}

/** Mulberry32: 32 random bits a call, the same ones for the same seed. */
function randomBits(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return bits ^ (bits >>> 14);
  };
}

/** A direction of +1 and -1 for each of `count` words, one behind the other. */
function randomDirections(count, dimension) {
  const next = randomBits(SEED);
  const signs = new Float32Array(count * dimension);
  for (let at = 0; at < signs.length; ) {
    const bits = next();
    for (let bit = 0; bit < 32 && at < signs.length; bit += 1, at += 1) {
      signs[at] = (bits >>> bit) & 1 ? 1 : -1;
    }
  }
  return signs;
}

function scaleToLengthOne(vector) {
  let squares = 0;
  for (let at = 0; at < vector.length; at += 1) squares += vector[at] * vector[at];
  const factor = squares === 0 ? 0 : 1 / Math.sqrt(squares);
  for (let at = 0; at < vector.length; at += 1) vector[at] *= factor;
}

export class TextVectors {
  #numbers = new Map();
  #weights = [];
  #directions;

  /** Learns from `texts`; the vectors have `dimension` numbers. */
  constructor(texts, dimension = DIMENSION) {
    this.dimension = dimension;
    const counted = texts.map(countWords);
    this.#chooseWords(counted);
    this.#directions = randomDirections(this.#weights.length, dimension);
    this.#directions = this.#learn(counted);
  }

  get wordCount() {
    return this.#weights.length;
  }

  /** The vector of a text; all zeros when none of its words is known. */
  vectorOf(text) {
    return this.#sum(countWords(text));
  }

  #chooseWords(counted) {
    const textsWith = new Map();
    for (const counts of counted) {
      for (const word of counts.keys()) textsWith.set(word, (textsWith.get(word) ?? 0) + 1);
    }
    for (const [word, count] of textsWith) {
      if (count < TEXTS_MIN || count > counted.length * SHARE_MAX) continue;
      this.#numbers.set(word, this.#weights.length);
      this.#weights.push(Math.log(counted.length / count));
    }
  }

  /** The sum of the directions of a text's words, of length 1. */
  #sum(counts) {
    const { dimension } = this;
    const directions = this.#directions;
    const vector = new Float32Array(dimension);
    for (const [word, times] of counts) {
      const number = this.#numbers.get(word);
      if (number === undefined) continue;
      const weight = this.#weights[number] * (1 + Math.log(times));
      const start = number * dimension;
      for (let at = 0; at < dimension; at += 1) vector[at] += weight * directions[start + at];
    }
    scaleToLengthOne(vector);
    return vector;
  }

  /** For each word the sum over the texts that have it, as far as it is not the mean. */
  #learn(counted) {
    const { dimension } = this;
    const learned = new Float32Array(this.#directions.length);
    const uses = new Float64Array(this.wordCount);
    const mean = new Float64Array(dimension);
    for (const counts of counted) {
      const vector = this.#sum(counts);
      for (let at = 0; at < dimension; at += 1) mean[at] += vector[at] / counted.length;
      for (const word of counts.keys()) {
        const number = this.#numbers.get(word);
        if (number === undefined) continue;
        uses[number] += 1;
        const start = number * dimension;
        for (let at = 0; at < dimension; at += 1) learned[start + at] += vector[at];
      }
    }
    for (let number = 0; number < uses.length; number += 1) {
      const start = number * dimension;
      const word = learned.subarray(start, start + dimension);
      for (let at = 0; at < dimension; at += 1) word[at] -= uses[number] * mean[at];
      scaleToLengthOne(word);
    }
    return learned;
  }
}
