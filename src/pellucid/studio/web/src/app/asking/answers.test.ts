import { expect, test } from "vitest";
import type { Predictions } from "$lib/schemas";
import { answerRows, floor } from "./answers";

function predictions(...shares: [string, number, number][]): Predictions {
  const answers = shares.map(([label, index, probability]) => ({ label, index, probability, logit: 0 }));
  return { answers, num_classes: 10, seconds: 0 };
}
const before = predictions(["cat", 3, 0.8], ["dog", 5, 0.1], ["cow", 1, 0.05]);
const after = predictions(["dog", 5, 0.6], ["cat", 3, 0.3], ["owl", 7, 0.06]);

test("without a change there is nothing to compare", () => {
  expect(answerRows(before, null, 2)).toEqual([
    { label: "cat", index: 3, before: 0.8, now: 0.8, change: 0 },
    { label: "dog", index: 5, before: 0.1, now: 0.1, change: 0 },
  ]);
  expect(answerRows(null, null)).toEqual([]);
});

test("bars keep their order while something is hidden, and each tells its change", () => {
  const rows = answerRows(before, after, 4);
  expect(rows.map((row) => row.label)).toEqual(["cat", "dog", "cow", "owl"]);
  expect(rows[0]!.change).toBeCloseTo(-0.5);
  expect(rows[2]).toMatchObject({ before: 0.05, now: null, change: null });
  expect(rows[3]).toMatchObject({ before: null, now: 0.06 });
});

test("a new first answer is always among the rows", () => {
  const surprise = predictions(["owl", 7, 0.9], ["cat", 3, 0.1]);
  expect(answerRows(before, surprise, 2).map((row) => row.label)).toEqual(["cat", "dog", "owl"]);
  expect(floor(surprise)).toBe(0.1);
});
