// The words of a text, and the text without those that are hidden from a model.

export interface Piece {
  text: string;
  /** Which word it is, from 0; null for what lies between words, which cannot be hidden by itself. */
  word: number | null;
}

const SAYS = /[\p{L}\p{N}\p{Extended_Pictographic}]/u;

/** A text in pieces, in any script; put together they are the text again. */
export function piecesOf(text: string): Piece[] {
  let word = 0;
  const segments = new Intl.Segmenter(undefined, { granularity: "word" }).segment(text);
  return [...segments].map(({ segment }) => ({ text: segment, word: SAYS.test(segment) ? word++ : null }));
}

/** The text that is left when words are taken out; "" where no word is left. */
export function without(text: string, hidden: ReadonlySet<number>): string {
  const pieces = piecesOf(text);
  const left = pieces.filter(({ word }) => word === null || !hidden.has(word));
  if (!left.some(({ word }) => word !== null)) return "";
  return left.map((piece) => piece.text).join("").replace(/[ \t]{2,}/g, " ").trim();
}

/** Hidden words as the address holds them: "3.5.6". */
export function wordsFrom(address: string): ReadonlySet<number> {
  return new Set(address.split(".").filter((part) => /^\d{1,5}$/.test(part)).map(Number));
}

export function wordsTo(hidden: ReadonlySet<number>): string {
  return [...hidden].sort((one, other) => one - other).join(".");
}
