import { expect, test } from "vitest";
import { cellOf, contour, heightAt, levelsOf, part, type Heights } from "./heights";

const axis = (n: number) => Float64Array.from({ length: n }, (_, i) => -1 + (2 * i) / (n - 1));

function heights(of: (x: number, y: number) => number, n = 21): Heights {
  const [x, y] = [axis(n), axis(n)];
  const values = Float64Array.from({ length: n * n }, (_, i) => of(x[i % n]!, y[Math.floor(i / n)]!));
  return { values, columns: n, rows: n, x, y, range: [Math.min(...values), Math.max(...values)], log: false };
}

test("between the grid's points, a plane is read exactly", () => {
  const plane = heights((x, y) => 3 * x - 2 * y + 1);
  expect(heightAt(plane, 0.123, -0.777)).toBeCloseTo(3 * 0.123 + 2 * 0.777 + 1);
  expect(heightAt(plane, 1, 1)).toBeCloseTo(2);
  expect(heightAt(plane, 1.1, 0)).toBeNaN();
});

test("a contour of a bowl is a circle, and goes once around", () => {
  const pieces = contour(heights((x, y) => x * x + y * y, 81), 0.25);
  for (const ends of pieces) for (const [x, y] of ends) expect(Math.hypot(x, y)).toBeCloseTo(0.5, 2);
  const length = pieces.reduce((sum, [a, b]) => sum + Math.hypot(a[0] - b[0], a[1] - b[1]), 0);
  expect(length).toBeCloseTo(Math.PI, 1);
});

test("at a saddle, lines follow the middle of the cell and never cross", () => {
  const cell = (corners: number[]): Heights => ({ values: corners, columns: 2, rows: 2, x: [0, 1], y: [0, 1], range: [0, 1], log: false });
  for (const corners of [[1, 0, 0, 1], [1, 0, 1.4, 0], [0, 1, 0, 1.4]].map((c) => [c[0]!, c[1]!, c[3]!, c[2]!])) {
    for (const [a, b] of contour(cell(corners), 0.55)) expect(Math.hypot(a[0] - b[0], a[1] - b[1])).toBeGreaterThan(0);
  }
  // low corners at the lower left and upper right, the middle high: each is cut off by itself
  const pieces = contour(cell([0, 1, 1, 0]), 0.4);
  for (const [a, b] of pieces) expect(Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1])).toBeCloseTo(0.8);
});

test("gaps have no lines", () => expect(contour(heights(() => NaN), 0)).toEqual([]));

test("levels are round, and even in a logarithm", () => {
  expect(levelsOf(heights((x) => 5 * x), 10)).toEqual([-4, -3, -2, -1, 0, 1, 2, 3, 4]);
  const log = { ...heights(() => 1), range: [1, 100] as [number, number], log: true };
  expect(levelsOf(log, 2)[0]).toBeCloseTo(10);
  expect(part(log, 10)).toBeCloseTo(0.5);
});

test("cells are found by halving", () => {
  expect(cellOf([0, 1, 4], 2)).toEqual({ at: 1, along: 1 / 3 });
  expect(cellOf([0, 1, 4], 4)).toEqual({ at: 1, along: 1 });
  expect(cellOf([0, 1, 4], -1)).toBeNull();
});
