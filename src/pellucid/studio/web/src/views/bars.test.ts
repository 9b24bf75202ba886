import { expect, test } from "vitest";
import type { Axis, Bars } from "$lib/kinds";
import { barsOf } from "./bars";
import { scaleOf } from "./scales";

const axis: Axis = { label: "v", unit: "", scale: "linear", limits: null };
const column = (...data: number[]) => ({ data: Float64Array.from(data), shape: [data.length] });

function placed(low: number, horizontal: boolean) {
  const series = [{ name: "a", values: column(4, -2, NaN), low: column(3, -3, NaN), high: column(5, -1, NaN), place: 0 }];
  const view: Bars = { kind: "Bars", title: "", caption: "", categories: ["x", "y", "z"], series, value: axis, horizontal };
  return barsOf(view, series, 3, scaleOf(axis, [low, 10], [0, 100 - 10 * low]), scaleOf(axis, [0, 3], [0, 60]), 20);
}

test("bars go from zero to their value, to either side", () => {
  const [up, down, missing] = placed(-10, true);
  expect([up!.x, up!.width]).toEqual([100, 40]);
  expect([down!.x, down!.width]).toEqual([80, 20]);
  expect(missing!.width).toBe(0);
  expect(missing!.whisker).toBe("");
});

test("a value is written beyond the end of its interval", () => {
  const [up] = placed(-10, true);
  expect(up!.label.x).toBe(156);
  expect(up!.whisker.startsWith("M130")).toBe(true);
});

test("what lies outside the axis ends at its edge", () => {
  expect(placed(0, true)[1]!.width).toBe(0);
});

test("upright bars stand on zero", () => {
  const [up] = placed(-10, false);
  expect([up!.y, up!.height]).toEqual([100, 40]);
});
