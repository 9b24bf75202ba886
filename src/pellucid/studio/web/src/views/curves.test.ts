import { expect, test } from "vitest";
import { firstAt, nearest, rising, smooth, thin } from "./curves";

test("few points are left alone, and gaps are null", () => {
  expect(thin({ x: [0, 1, 2], y: [1, NaN, 3] }, 0, 2, 10)).toEqual({ x: [0, 1, 2], y: [1, null, 3] });
});

test("of many points, each column keeps its lowest and highest, in order", () => {
  const n = 100_000;
  const x = Float64Array.from({ length: n }, (_, i) => i);
  const y = Float64Array.from(x, (v) => Math.sin(v / 500));
  y[41_234] = 9;
  y[77_777] = -9;
  const { x: kept, y: values } = thin({ x, y }, 0, n - 1, 400);
  expect(kept.length).toBeLessThanOrEqual(802);
  expect(kept.every((v, i) => i === 0 || v > kept[i - 1]!)).toBe(true);
  expect(values[kept.indexOf(41_234)]).toBe(9);
  expect(values[kept.indexOf(77_777)]).toBe(-9);
});

test("only what is seen is kept, with a neighbour at each end", () => {
  const x = Float64Array.from({ length: 100 }, (_, i) => i);
  expect(thin({ x, y: x }, 40, 43, 50).x).toEqual([39, 40, 41, 42, 43, 44]);
});

test("a stretch without values stays a gap", () => {
  const x = Float64Array.from({ length: 1000 }, (_, i) => i);
  const y = Float64Array.from(x, (v) => (v > 300 && v < 700 ? NaN : v));
  const { y: values } = thin({ x, y }, 0, 999, 20);
  expect(values).toContain(null);
});

test("smoothing a constant leaves it as it is, from the first value on", () => {
  expect([...smooth([4, 4, NaN, 4], 0.9)].map((v) => Number(v.toFixed(12)))).toEqual([4, 4, NaN, 4]);
  expect([...smooth([1, 2, 3], 0)]).toEqual([1, 2, 3]);
  expect(smooth([0, 1], 0.5)[1]).toBeCloseTo(0.5 / 0.75);
});

test("positions are found by halving", () => {
  expect([firstAt([1, 2, 4], 3), firstAt([], 1), nearest([1, 2, 4], 3.5), nearest([1, 2, 4], 9), nearest([], 1)]).toEqual([2, 0, 2, 2, -1]);
});

test("points are put in order of x", () => {
  expect([...rising({ x: [2, NaN, 1], y: [20, 0, 10] }).y]).toEqual([10, 20]);
  const sorted = { x: [1, 2], y: [1, 2] };
  expect(rising(sorted)).toBe(sorted);
});
