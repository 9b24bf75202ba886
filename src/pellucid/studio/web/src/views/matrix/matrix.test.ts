import { expect, test } from "vitest";
import type { Matrix } from "$lib/kinds";
import python from "../fixtures/python.json";
import { coloured, pooled, rgbOf } from "./pixels";
import { countOf, isConfusion, keyOf, largestCells, lookOf, matrixShades, rowTotals, toldApart, valueWords } from "./shades";

function matrix(values: number[], rows: string[], columns: string[], more: Partial<Matrix> = {}): Matrix {
  const axis = (label: string) => ({ label, unit: "", scale: "linear" as const, limits: null });
  return {
    kind: "Matrix", title: "", caption: "", values: { data: Float64Array.from(values), shape: [rows.length, columns.length] }, rows, columns,
    x: axis("answer"), y: axis("class"), value: axis("samples"), format: ".0f", signed: false, members: new Map(), ...more,
  };
}

test("shades are those of Python, for each sort of matrix", () => {
  for (const each of python.matrices) {
    const view = matrix(each.values, each.rows, each.columns, { signed: each.signed });
    expect(isConfusion(view)).toBe(each.confusion);
    matrixShades(view).forEach((shade, at) => expect(shade).toBeCloseTo(each.shades[at]!, 6));
  }
});

const confusion = matrix([8, 2, 0, 1, 9, 0, 0, 0, 0], ["cat", "dog", "owl"], ["cat", "dog", "owl"], { members: new Map([["0,1", ["a", "b"]], ["0,0", ["c"]]]) });

test("a cell says its count, its share of the row, and how many samples are behind it", () => {
  const totals = rowTotals(confusion);
  expect(valueWords(confusion, { row: 0, column: 1 }, totals)).toBe("2 (20.0 %)");
  expect(valueWords(confusion, { row: 2, column: 2 }, totals)).toBe("0");
  expect(countOf(confusion, { row: 0, column: 0 })).toBe(8);
});

test("the largest cells of a confusion matrix are mistakes", () => {
  expect(largestCells(confusion, 5).map(keyOf)).toEqual(["0,1", "1,0"]);
  expect(largestCells(matrix([1, 5, 3, 4], ["a", "b"], ["x", "y"]), 2).map(keyOf)).toEqual(["0,1", "1,1"]);
});

test("names lose what all of them share, and no more", () => {
  expect(toldApart(["model.a.weight", "model.b.weight"])).toEqual(["a", "b"]);
  expect(toldApart(["a", "a"])).toEqual(["a", "a"]);
  expect(toldApart(["layer1.0", "layer1"])).toEqual(["layer1.0", "layer1"]);
});

test("numbers change colour where a cell gets dark", () => {
  expect([lookOf(0), lookOf(-0.2), lookOf(0.6), lookOf(-0.9)]).toEqual(["zero", "minus", "plus mid", "minus high"]);
});

test("of cells smaller than a pixel the strongest is seen, wherever it is", () => {
  const values = new Float64Array(1000 * 1000);
  values[999 * 1000 + 3] = -0.4;
  const found = pooled({ values, rows: 1000, columns: 1000 }, { x: 0, y: 0, scale: 0.1, wide: 100, high: 100 });
  expect(found[99 * 100]).toBeLessThan(-0.5);
  expect(found.filter((shade) => shade).length).toBe(1);
});

test("a window cuts out its cells, one pixel each", () => {
  const values = Float64Array.from({ length: 12 }, (_, at) => at);
  expect([...pooled({ values, rows: 3, columns: 4 }, { x: 1, y: 1, scale: 1, wide: 2, high: 2 })]).toEqual([5, 6, 9, 10]);
});

test("shades become colours between the ground and both ends", () => {
  const pixels = coloured(Float64Array.of(0, 1, -0.5), [255, 255, 255], [0, 0, 0], rgbOf("10 92 150"));
  expect([...pixels]).toEqual([255, 255, 255, 255, 10, 92, 150, 255, 128, 128, 128, 255]);
  expect(rgbOf(" #fff")).toEqual([255, 255, 255]);
  expect(rgbOf("#171c22")).toEqual([23, 28, 34]);
});
