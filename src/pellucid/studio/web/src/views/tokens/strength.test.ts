import { expect, test } from "vitest";
import type { Tokens } from "$lib/kinds";
import { strongest, wordsOf } from "./strength";

const view: Tokens = {
  kind: "Tokens", title: "", caption: "", tokens: ["[CLS]", "un", "##like", "me"], values: { data: Float64Array.of(9, -1, 4, NaN), shape: [4] },
  limit: 2, special: [true, false, false, false], signed: true, sample: "", probabilities: null,
};

test("words have parts of the limit, and no more than all of it", () => {
  expect(wordsOf(view).map(({ word, apart, part }) => [word, apart, part])).toEqual([["[CLS]", true, 1], ["un", true, -0.5], ["like", false, 1], ["me", true, 0]]);
});

test("the strongest words are the reader's, not the tokenizer's", () => {
  expect(strongest(wordsOf(view), 5).map(({ word }) => word)).toEqual(["like", "un"]);
});
