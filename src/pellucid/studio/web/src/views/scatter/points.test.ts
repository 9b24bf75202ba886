import { expect, test } from "vitest";
import type { Axis, Scatter } from "$lib/kinds";
import { dataAt, Finder, inside, isInside, OTHERS, pointsOf, type Corner } from "./points";

const axis = (parts: Partial<Axis> = {}): Axis => ({ label: "x", unit: "", scale: "linear", limits: null, ...parts });
const column = (data: number[]) => ({ data: Float64Array.from(data), shape: [data.length] });

function scatter(x: number[], y: number[], groups: string[] = [], parts: Partial<Axis> = {}): Scatter {
  return { kind: "Scatter", title: "", caption: "", x_values: column(x), y_values: column(y), samples: x.map(String), groups, x: axis(parts), y: axis(parts) };
}

test("a point is inside by the even-odd rule, in hollows too", () => {
  const arrow: Corner[] = [[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]];
  expect(isInside(2, 0.5, arrow)).toBe(true);
  expect(isInside(2, 2, arrow)).toBe(false);
  expect(isInside(0.5, 2, arrow)).toBe(true);
  expect(isInside(5, 1, arrow)).toBe(false);
});

test("a lasso finds what a look at every point finds", () => {
  const n = 5000;
  const spread = (seed: number) => Array.from({ length: n }, (_, i) => (Math.sin(i * seed) * 43758.5453) % 1);
  const points = pointsOf(scatter(spread(12.9898), spread(78.233)));
  const lasso: Corner[] = [[0.2, 0.3], [0.8, 0.2], [0.6, 0.7], [0.4, 0.5]];
  const all = Array.from({ length: n }, (_, i) => i).filter((i) => isInside(points.u[i]!, points.v[i]!, lasso));
  expect(all.length).toBeGreaterThan(100);
  expect(inside(new Finder(points), points, lasso)).toEqual(all);
});

test("the nearest point within reach is found", () => {
  const points = pointsOf(scatter([0, 1, 2, NaN], [0, 1, 2, 1], [], { limits: [0, 2] }));
  const finder = new Finder(points);
  expect(points.count).toBe(3);
  expect(finder.nearest(0.52, 0.49, [0.1, 0.1])).toBe(1);
  expect(finder.nearest(0.75, 0.75, [0.1, 0.1])).toBe(-1);
});

test("the largest groups have places of their own; the others share one", () => {
  const names = Array.from({ length: 40 }, (_, i) => (i < 20 ? "big" : i === 39 ? "" : `small ${i}`));
  const { groups, look } = pointsOf(scatter(names.map((_, i) => i), names.map((_, i) => i), names));
  expect(groups[0]).toEqual({ name: "big", place: 0, count: 20 });
  expect(groups).toHaveLength(17);
  expect(groups[16]).toEqual({ name: "", place: OTHERS, count: 5 });
  expect(look[39]).toBe(OTHERS);
});

test("logarithmic axes go into the unit square and back", () => {
  const { u, x } = pointsOf(scatter([1, 10, 100, -1], [1, 10, 100, 5], [], { scale: "log", limits: [1, 100] }));
  expect([...u]).toEqual([0, 0.5, 1, NaN]);
  expect(dataAt(0.5, x)).toBeCloseTo(10);
});
