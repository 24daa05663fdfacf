/**
 * BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009),
 * with the idf that is never negative. The order of its operations is part of it: the same bits
 * everywhere.
 */

/** What a score needs to know of a collection and of how it is asked for. */
export interface Bm25 {
  readonly documents: number;
  readonly averageLength: number;
  readonly k1: number;
  readonly b: number;
}

export const K1_DEFAULT = 1.2;
export const B_DEFAULT = 0.75;

/** How much a term says that stands in `documentFrequency` documents. */
export function inverseDocumentFrequency({ documents }: Bm25, documentFrequency: number): number {
  return Math.log(1 + (documents - documentFrequency + 0.5) / (documentFrequency + 0.5));
}

/** What a term adds to the score of a document in which it stands `frequency` times. */
export function termScore(
  { averageLength, k1, b }: Bm25,
  idf: number,
  frequency: number,
  length: number,
): number {
  const norm = frequency + k1 * (1 - b + (b * length) / averageLength);
  return (idf * frequency * (k1 + 1)) / norm;
}
