import { expect, test } from "vitest";
import { cellFilter, classesOf, commonCell, filtered, NO_FILTER, rowsOf } from "./rows";

const rows = rowsOf({
  labels: ["cat", "dog"],
  samples: ["s0", "s1", "s2", "s3", "s4"],
  target: [0, 0, 1, 1, 1],
  predicted: [0, 1, 0, 1, 0],
  confidence: [0.9, 0.6, 0.8, 0.7, null],
});
const names = (found: { sample: string }[]) => found.map((row) => row.sample);

test("mistakes come first, the surest of them at the top, unknown confidence last", () => {
  expect(names(filtered(rows, NO_FILTER))).toEqual(["s2", "s1", "s4"]);
  expect(names(filtered(rows, { ...NO_FILTER, order: "least_sure" }))).toEqual(["s1", "s2", "s4"]);
});

test("class, kind of answer and confidence narrow the list down", () => {
  expect(names(filtered(rows, { ...NO_FILTER, truth: "dog" }))).toEqual(["s2", "s4"]);
  expect(names(filtered(rows, { ...NO_FILTER, shown: "right" }))).toEqual(["s0", "s3"]);
  expect(names(filtered(rows, { ...NO_FILTER, shown: "all", low: 0.65, high: 0.85 }))).toEqual(["s2", "s3"]);
});

test("what was chosen elsewhere holds here", () => {
  expect(names(filtered(rows, { ...NO_FILTER, shown: "all" }, new Set(["s0", "s4"])))).toEqual(["s0", "s4"]);
});

test("a cell of the matrix is a filter, and a choice within one cell names it", () => {
  expect(names(filtered(rows, cellFilter(NO_FILTER, "dog", "cat")))).toEqual(["s2", "s4"]);
  expect(names(filtered(rows, cellFilter(NO_FILTER, "cat", "cat")))).toEqual(["s0"]);
  expect(commonCell(rows, new Set(["s2", "s4"]))).toEqual({ truth: "dog", answer: "cat" });
  expect(commonCell(rows, new Set(["s2", "s1"]))).toBeNull();
  expect(commonCell(rows, new Set(["elsewhere"]))).toBeNull();
});

test("classes are ordered by their share of mistakes", () => {
  expect(classesOf(rows)).toEqual([
    { label: "dog", total: 3, wrong: 2 },
    { label: "cat", total: 2, wrong: 1 },
  ]);
});
