import { expect, test } from "vitest";
import { piecesOf, without, wordsFrom, wordsTo } from "./words";

test("pieces of a text are the text again, and words are counted without what lies between", () => {
  for (const text of ["It isn't bad, is it?", "  two\n\nlines ", "这部电影非常好看。", "so 😀!"]) {
    expect(piecesOf(text).map((piece) => piece.text).join("")).toBe(text);
  }
  const words = piecesOf("It isn't bad, is it?").filter(({ word }) => word !== null);
  expect(words.map(({ text, word }) => `${word} ${text}`)).toEqual(["0 It", "1 isn't", "2 bad", "3 is", "4 it"]);
  expect(piecesOf("so 😀!").map(({ word }) => word)).toEqual([0, null, 1, null]);
});

test("hidden words are taken out, and a text without words is none", () => {
  expect(without("a very good film", new Set([1]))).toBe("a good film");
  expect(without("good, really", new Set([0]))).toBe(", really");
  expect(without("all gone!", new Set([0, 1]))).toBe("");
  expect(without("as it was", new Set())).toBe("as it was");
});

test("the address holds hidden words, and what is no number is passed over", () => {
  expect(wordsTo(new Set([10, 2]))).toBe("2.10");
  expect([...wordsFrom("2.10")]).toEqual([2, 10]);
  expect([...wordsFrom("")]).toEqual([]);
  expect([...wordsFrom("2.x.-1.123456789")]).toEqual([2]);
});
