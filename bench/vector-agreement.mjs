/**
 * Whether all stores found the same nearest vectors.
 *
 * Stores compare in float32 and may swap two vectors whose distances differ by its rounding; so
 * what is compared is the true distance of what was found, computed here in double precision. mneme
 * promises the result of a full comparison, so nobody may find anything nearer than it did.
 */
import assert from 'node:assert/strict';

const SUBJECT = 'mneme';
const ROUNDING_OF_FLOAT32 = 2e-6;
const ROUNDING_OF_FLOAT64 = 1e-12;

export class Agreement {
  /** @param {import('./vector-sets.mjs').VectorSet} set */
  constructor(set) {
    this.set = set;
    /** @type {Map<number, Map<string, number[]>>} */
    this.byQuery = new Map();
  }

  /**
   * @param {string} store
   * @param {number} firstQuery
   * @param {number[][]} nearest row indexes, nearest first, for each query from the first on
   */
  note(store, firstQuery, nearest) {
    for (let at = 0; at < nearest.length; at += 1) {
      const query = firstQuery + at;
      const found = this.byQuery.get(query) ?? new Map();
      found.set(store, nearest[at]);
      this.byQuery.set(query, found);
    }
  }

  /**
   * Throws where a store has found something else; returns how many lists were compared.
   * @param {number} k how many each must have found
   */
  verify(k) {
    let compared = 0;
    for (const [query, found] of this.byQuery) {
      const lists = [...found].map(([store, rows]) => {
        const what = `${store}, query ${query} of ${this.set.name}`;
        assert.equal(new Set(rows).size, Math.min(k, this.set.count), `${what}: not ${k} vectors`);
        const distances = rows.map((row) => this.distance(query, row));
        return { store, what, distances: distances.sort((one, other) => one - other) };
      });
      for (const { store, what, distances } of lists) {
        const slack = store === SUBJECT ? ROUNDING_OF_FLOAT64 : ROUNDING_OF_FLOAT32;
        for (let place = 0; place < distances.length; place += 1) {
          const best = Math.min(...lists.map((list) => list.distances[place]));
          const excess = distances[place] - best;
          assert.ok(excess <= slack, `${what}: place ${place} is further by ${excess}`);
        }
      }
      compared += lists.length;
    }
    return compared;
  }

  /**
   * @param {number} query
   * @param {number} row
   */
  distance(query, row) {
    assert.ok(row >= 0 && row < this.set.count, `there is no vector ${row}`);
    const left = this.set.query(query);
    const right = this.set.row(this.set.vectors, row);
    let [product, leftSquare, rightSquare] = [0, 0, 0];
    for (let at = 0; at < left.length; at += 1) {
      product += left[at] * right[at];
      leftSquare += left[at] * left[at];
      rightSquare += right[at] * right[at];
    }
    return 1 - product / Math.sqrt(leftSquare * rightSquare);
  }
}
