/**
 * Analyzers as a keyspace's handle knows them: the one that is stored by its name, the one that the
 * caller gave, and what comes of a text.
 */

import { checkWellFormed, writeText } from '../shared/bytes/text.js';
import { TAG_ASCII, TAG_UTF8 } from '../shared/bytes/value-codec.js';
import { invalidType, MnemeError, outOfRange } from '../shared/errors.js';
import { type Analyzer, builtInAnalyzer } from '../shared/keyspaces/analyzers.js';
import { B_DEFAULT, K1_DEFAULT } from '../shared/keyspaces/bm25.js';
import {
  streamAscii,
  streamBuiltIn,
  streamTerms,
  TermStream,
} from '../shared/keyspaces/term-stream.js';
import type { TextSettings } from '../shared/keyspaces/text-state.js';
import { ANALYZER_NAME_BYTES_MAX } from '../shared/limits.js';

export const ANALYZER_DEFAULT = 'standard';

/** How a keyspace of full text is opened; the name of the analyzer and `positions` are stored. */
export interface FtOptions {
  /** Turns texts into terms; with a name, which is stored, and a version in it: 'pipe@2'. */
  analyzer?: Analyzer;
  /** 'standard' (default), 'english', 'english-stop', 'whitespace', or of `analyzer`. */
  analyzerName?: string;
  /** How soon a term's frequency stops to matter; at least 0. Default 1.2. */
  k1?: number;
  /** How much the length of a document matters, 0 to 1. Default 0.75. */
  b?: number;
  /** Sealed in the file for those who have a key; as it is stored when absent. */
  encrypted?: boolean;
  /** Store where terms stand: for "phrases" and prefixes* in queries. Default false. */
  positions?: boolean;
  /** Index everything anew when another analyzer, or other positions, are stored. */
  reindex?: boolean;
}

/** A document's terms as they are sent. */
export interface AnalyzedText {
  /** The text's tag, and the text in UTF-8; good until the next analysis. */
  readonly text: Uint8Array;
  readonly terms: Uint8Array;
}

/** @throws {TypeError | RangeError} for options that mean nothing. */
export function checkFtOptions(options: FtOptions): FtOptions {
  if (typeof options !== 'object' || options === null) {
    throw invalidType('options', 'an object', options);
  }
  const { analyzer, analyzerName, encrypted, positions, reindex } = options;
  if (analyzer !== undefined && typeof analyzer !== 'function') {
    throw invalidType('analyzer', 'a function', analyzer);
  }
  if (analyzerName !== undefined) checkAnalyzerName(analyzerName);
  if (analyzer !== undefined && analyzerName === undefined) {
    throw invalidType('analyzerName', 'given with an analyzer', analyzerName);
  }
  if (analyzer !== undefined && builtInAnalyzer(analyzerName as string) !== undefined) {
    throw invalidType('analyzerName', 'a name that no built-in analyzer has', analyzerName);
  }
  for (const [name, flag] of Object.entries({ encrypted, positions, reindex })) {
    if (flag !== undefined && typeof flag !== 'boolean') throw invalidType(name, 'a boolean', flag);
  }
  checkBm25(options);
  return options;
}

/** @throws {TypeError | RangeError} */
export function checkBm25({ k1, b }: Pick<FtOptions, 'k1' | 'b'>): void {
  for (const [name, value] of Object.entries({ k1, b })) {
    if (value !== undefined && typeof value !== 'number')
      throw invalidType(name, 'a number', value);
  }
  if (k1 !== undefined && !(k1 >= 0 && k1 < Infinity)) {
    throw outOfRange('k1', 'a finite number of at least 0', k1);
  }
  if (b !== undefined && !(b >= 0 && b <= 1)) throw outOfRange('b', 'within 0 and 1', b);
}

function checkAnalyzerName(name: unknown): void {
  if (typeof name !== 'string') throw invalidType('analyzerName', 'a string', name);
  checkWellFormed(name, 'analyzerName');
  const length = Buffer.byteLength(name);
  if (length < 1 || length > ANALYZER_NAME_BYTES_MAX) {
    const range = `1 to ${ANALYZER_NAME_BYTES_MAX} bytes long`;
    throw outOfRange('analyzerName', range, `${length} bytes`);
  }
}

/** What a keyspace is created with by a handle of these options. */
export function settingsOf(options: FtOptions, stored?: TextSettings): TextSettings {
  return {
    analyzerName: options.analyzerName ?? stored?.analyzerName ?? ANALYZER_DEFAULT,
    k1: options.k1 ?? stored?.k1 ?? K1_DEFAULT,
    b: options.b ?? stored?.b ?? B_DEFAULT,
    positions: options.positions ?? stored?.positions ?? false,
  };
}

export function analyzerMismatch(stored: string, asked: string): MnemeError {
  return new MnemeError('ERR_MNEME_ANALYZER_MISMATCH', { stored, asked });
}

/** Of the built-in analyzers, which call nobody; good until the next analysis. */
const stream = new TermStream();
let textBuffer = Buffer.alloc(65536);

/** An analyzer under its name. */
export class NamedAnalyzer {
  readonly name: string;
  /** What the caller passed; built-in ones are known by their names. */
  readonly #given: Analyzer | undefined;

  constructor(name: string, given: Analyzer | undefined) {
    this.name = name;
    this.#given = given;
  }

  /** The terms of a text. @throws {MnemeError} */
  terms(text: string): string[] {
    const analyze = this.#known();
    return this.#attempt(() => {
      const terms: string[] = [];
      for (const term of analyze(text)) {
        if (typeof term !== 'string') throw invalidType('term', 'a string', term);
        terms.push(term);
      }
      return terms;
    });
  }

  /**
   * A document's text and terms; good until the next analysis.
   * @throws {MnemeError} `ERR_MNEME_ANALYZER_MISSING`, `ERR_MNEME_ANALYZER_FAILED`.
   */
  document(text: string): AnalyzedText {
    const analyze = this.#known();
    // It may index and search itself: what it gives is gathered apart, before the text is.
    const own = this.#given === undefined ? stream : new TermStream();
    if (this.#given !== undefined) this.#attempt(() => streamTerms(own, analyze, text));
    if (textBuffer.length <= 3 * text.length) textBuffer = Buffer.alloc(1 + 4 * text.length);
    const length = writeText(textBuffer, text, 1);
    const isAscii = length === text.length;
    if (!isAscii) checkWellFormed(text, 'text');
    if (own === stream) {
      stream.reset();
      const range = { source: textBuffer, start: 1, end: 1 + length };
      if (!isAscii || !streamAscii(stream, this.name, range)) {
        streamBuiltIn(stream, this.name, text);
      }
    }
    const terms = own.bytes.subarray(0, own.length);
    textBuffer[0] = isAscii ? TAG_ASCII : TAG_UTF8;
    return { text: textBuffer.subarray(0, 1 + length), terms };
  }

  /** @throws {MnemeError} `ERR_MNEME_ANALYZER_MISSING` */
  assertKnown(): void {
    this.#known();
  }

  #known(): Analyzer {
    const analyze = this.#given ?? builtInAnalyzer(this.name);
    if (analyze !== undefined) return analyze;
    throw new MnemeError('ERR_MNEME_ANALYZER_MISSING', { analyzer: this.name });
  }

  #attempt<T>(run: () => T): T {
    try {
      return run();
    } catch (cause) {
      throw new MnemeError('ERR_MNEME_ANALYZER_FAILED', { analyzer: this.name }, { cause });
    }
  }
}
