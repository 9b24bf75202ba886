// What a text's tokens show: the word without the tokenizer's marks, and how much it speaks for or against.
import type { Tokens } from "$lib/kinds";
import { readableTokens } from "$lib/wording";

export interface Word {
  place: number;
  word: string;
  /** Whether a space goes before it. */
  apart: boolean;
  special: boolean;
  value: number;
  /** Part of the limit, from -1 to 1. */
  part: number;
}

export function wordsOf(view: Tokens): Word[] {
  const limit = Number.isFinite(view.limit) && view.limit > 0 ? view.limit : 1;
  return readableTokens(view.tokens).map(({ word, apart }, place) => {
    const value = view.values.data[place] ?? NaN;
    const part = Number.isNaN(value) ? 0 : Math.max(-1, Math.min(1, value / limit));
    return { place, word, apart, special: view.special[place] ?? false, value, part };
  });
}

/** The words that say most, the strongest first; none that the tokenizer added. */
export function strongest(words: readonly Word[], most: number): Word[] {
  return words
    .filter((word) => !word.special && word.part !== 0)
    .sort((one, other) => Math.abs(other.part) - Math.abs(one.part) || one.place - other.place)
    .slice(0, most);
}
