/**
 * Where words begin and end, in any script: runs of letters, marks and digits.
 *
 * Some scripts are written without spaces: Han, Hiragana, Katakana, Thai, Lao, Khmer and Myanmar. A
 * run is therefore divided into stretches, those of such a script and those of all others: a
 * stretch of the others is a word, and one without spaces is for the caller to cut up. A mark
 * belongs to the character before it, whatever its script; where none is, to its own.
 *
 * What a character is comes from the runtime's regular expressions, once for each 256 of them, and
 * then from a table: an expression that matched a whole run would overflow its stack on millions
 * of letters. Scripts are named one by one, and the few characters that several of the scripts
 * share are listed, because the table of script extensions grows from one Unicode version to the
 * next and would move marks that Latin letters carry into Thai.
 */

/** What a character is: one of the two kinds of stretch, or a break between them. */
const BREAK = 0;
const WORD = 1;
const UNSPACED = 2;
/** Added to the kind of a mark. */
const MARK = 4;

const WORD_CHARACTER = /[\p{L}\p{N}\p{M}]/u;
/** Halfwidth voiced and semi-voiced sound marks are letters to Unicode, but attach as marks do. */
const MARK_CHARACTER = /[\p{M}\u{ff9e}\u{ff9f}]/u;
const UNSPACED_SCRIPT =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
/** Shared by Han, Hiragana and Katakana: repeat, sound, length and closing marks. */
const SHARED_BY_KANA =
  /[\u{3006}\u{3031}-\u{3035}\u{303c}\u{3099}\u{309a}\u{30fc}\u{ff70}\u{ff9e}\u{ff9f}]/u;

const BLOCK_SIZE = 256;
const blocks: (Uint8Array | undefined)[] = new Array(0x110000 / BLOCK_SIZE).fill(undefined);

function readClass(character: string): number {
  if (!WORD_CHARACTER.test(character)) return BREAK;
  const isUnspaced = UNSPACED_SCRIPT.test(character) || SHARED_BY_KANA.test(character);
  return (isUnspaced ? UNSPACED : WORD) | (MARK_CHARACTER.test(character) ? MARK : 0);
}

function readBlock(number: number): Uint8Array {
  const classes = Uint8Array.from({ length: BLOCK_SIZE }, (_, index) =>
    readClass(String.fromCodePoint(number * BLOCK_SIZE + index)),
  );
  blocks[number] = classes;
  return classes;
}

function classOf(codePoint: number): number {
  const number = codePoint >>> 8;
  return (blocks[number] ?? readBlock(number))[codePoint & 0xff] as number;
}

/** How many code units a code point has. */
export function unitCount(codePoint: number): number {
  return codePoint > 0xffff ? 2 : 1;
}

export function isMark(codePoint: number): boolean {
  return (classOf(codePoint) & MARK) !== 0;
}

export function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) >= 0x80) return false;
  return true;
}

/** A part of a run: a word, or characters of scripts that are written without spaces. */
export type StretchVisitor = (start: number, end: number, isUnspaced: boolean) => void;

/** Calls `visit` with every stretch of the text, in order. */
export function visitStretches(text: string, visit: StretchVisitor): void {
  let start = 0;
  let kind = BREAK;
  for (let at = 0; at < text.length; ) {
    const codePoint = text.codePointAt(at) as number;
    const found = classOf(codePoint);
    const isAttached = (found & MARK) !== 0 && kind !== BREAK;
    const next = isAttached ? kind : found & ~MARK;
    if (next !== kind) {
      if (kind !== BREAK) visit(start, at, kind === UNSPACED);
      start = at;
      kind = next;
    }
    at += unitCount(codePoint);
  }
  if (kind !== BREAK) visit(start, text.length, kind === UNSPACED);
}
