import { expect, test } from "vitest";
import type { Table } from "$lib/kinds";
import { entriesOf, rowsOf, sharesOf } from "./rows";

const view: Table = {
  kind: "Table", title: "", caption: "",
  columns: [
    { name: "class", unit: "", format: "", values: ["owl", "Cat 10", "cat 9", "dog"] },
    { name: "recall", unit: "", format: ".1%", values: [0.5, null, 0.25, NaN] },
    { name: "loss", unit: "", format: "", values: [1, 2.5, -1, 1000] },
  ],
};
const entries = view.columns.map(entriesOf);

test("entries have the format of their column", () => {
  expect(entries).toEqual([["owl", "Cat 10", "cat 9", "dog"], ["50.0%", "–", "25.0%", "–"], ["1", "2.5", "−1", "1e+03"]]);
});

test("rows sort by number or by word, and what is missing comes last both ways", () => {
  const sorted = (column: number, down: boolean) => rowsOf(view, entries, "", { column, down }, "en");
  expect(sorted(1, true)).toEqual([0, 2, 1, 3]);
  expect(sorted(1, false)).toEqual([2, 0, 1, 3]);
  expect(sorted(0, false)).toEqual([2, 1, 3, 0]);
  expect(sorted(2, true)).toEqual([3, 1, 0, 2]);
  expect(rowsOf(view, entries, "", null)).toEqual([0, 1, 2, 3]);
});

test("a search finds rows that hold all of its words, in any column", () => {
  expect(rowsOf(view, entries, "CAT", null)).toEqual([1, 2]);
  expect(rowsOf(view, entries, "cat 25", null)).toEqual([2]);
  expect(rowsOf(view, entries, "nothing", null)).toEqual([]);
});

test("only percentages from 0 to 100 have a bar behind them", () => {
  expect(sharesOf(view.columns[1]!)).toEqual([0.5, null, 0.25, null]);
  expect(sharesOf(view.columns[2]!)).toBeNull();
  expect(sharesOf({ name: "", unit: "%", format: "", values: [50, 120] })).toEqual([0.5, null]);
});
