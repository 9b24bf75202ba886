import { expect, test } from "vitest";
import type { Axis } from "$lib/kinds";
import { areWhole, extent, fit, power, scaleOf } from "./scales";

const axis = (parts: Partial<Axis> = {}): Axis => ({ label: "x", unit: "", scale: "linear", limits: null, ...parts });
const written = (scale: { ticks: { label: string }[] }) => scale.ticks.map((tick) => tick.label);

test("limits leave out what is not finite", () => {
  expect(extent([[NaN, 2, -1], [Infinity]])).toEqual([-1, 2]);
  expect(extent([[-3, 0, 5]], true)).toEqual([5, 5]);
  expect(extent([[NaN]])).toBeNull();
});

test("an axis keeps its own limits, and fits its values else", () => {
  expect(fit(axis({ limits: [0, 1] }), [[5]]).domain).toEqual([0, 1]);
  expect(fit(axis({ limits: [1, 1] }), [[0, 10]], { margin: 0.1 }).domain).toEqual([-1, 11]);
  expect(fit(axis(), [[2, 10]], { zero: true, margin: 0 }).domain).toEqual([0, 10]);
  const { domain } = fit(axis(), [[3, 3]], { margin: 0 });
  expect(domain[0]).toBeLessThan(3);
  expect(domain[1]).toBeGreaterThan(3);
});

test("a logarithmic axis needs a positive value", () => {
  expect(fit(axis({ scale: "log" }), [[0, -1]]).log).toBe(false);
  const { domain, log } = fit(axis({ scale: "log" }), [[0, 0.01, 100]]);
  expect(log).toBe(true);
  expect(domain[0]).toBeGreaterThan(0.005);
  expect(domain[1]).toBeLessThan(200);
});

test("ticks are round, short, and all alike", () => {
  expect(written(scaleOf(axis(), [0, 1], [0, 350]))).toEqual(["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
  expect(written(scaleOf(axis({ limits: [0, 1] }), [0, 1], [0, 150]))).toEqual(["0 %", "50 %", "100 %"]);
  expect(written(scaleOf(axis(), [0, 1e6], [0, 350]))).toEqual(["0", "200k", "400k", "600k", "800k", "1M"]);
  expect(written(scaleOf(axis(), [0, 3], [0, 700], { whole: true }))).toEqual(["0", "1", "2", "3"]);
  expect(written(scaleOf(axis(), [0, 1e-5], [0, 200]))).toEqual(["0", "5 × 10⁻⁶", "10⁻⁵"]);
});

test("powers of ten are written as such where they are long", () => {
  expect(written(scaleOf(axis(), [1e-6, 1], [0, 500], { log: true }))).toEqual(["10⁻⁶", "10⁻⁵", "10⁻⁴", "0.001", "0.01", "0.1", "1"]);
  expect(power(2e-5)).toBe("2 × 10⁻⁵");
  expect(power(0.05)).toBe("0.05");
  expect(power(20000)).toBe("20,000");
});

test("a scale can be read backwards", () => {
  const scale = scaleOf(axis(), [1, 100], [0, 200], { log: true });
  expect(scale.invert(scale(10))).toBeCloseTo(10);
});

test("whole numbers are known", () => {
  expect(areWhole([[1, NaN, 3]])).toBe(true);
  expect(areWhole([[1, 2.5]])).toBe(false);
});
