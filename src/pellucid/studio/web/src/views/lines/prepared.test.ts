import { expect, test } from "vitest";
import { drawn, ordered, seen, smoothed } from "./prepared";
import type { Lines, Series } from "$lib/kinds";

const axis = { label: "x", unit: "", scale: "linear", limits: null } as const;
const column = (data: number[]) => ({ data: Float64Array.from(data), shape: [data.length] });

function lines(...series: Partial<Series>[]): Lines {
  const whole = series.map((one, at): Series => ({ name: `s${at}`, x: column([]), y: column([]), low: null, high: null, style: "line", ...one }));
  return { kind: "Lines", title: "", caption: "", series: whole, x: { ...axis, limits: null }, y: { ...axis, limits: null } };
}

const noisy = Array.from({ length: 2001 }, (_, i) => i % 2);
const every = (step: number) => column(Array.from({ length: 2000 / step + 1 }, (_, i) => i * step));

test("references take no colour", () => {
  expect(ordered(lines({}, { style: "reference" }, {})).map((one) => one.place)).toEqual([0, -1, 1]);
});

test("series without a value are known as such", () => {
  expect(ordered(lines({ x: column([1, 2]), y: column([NaN, NaN]) }))[0]!.known).toBe(false);
});

test("smoothing goes over the same stretch of x, however many points lie in it", () => {
  const all = ordered(lines({ x: every(1), y: column(noisy) }, { x: every(80), y: column(noisy.slice(0, 26)) }));
  const means = smoothed(all, 0.9);
  expect(means.get(all[0]!)![2000]).toBeCloseTo(0.5, 1);
  expect(means.get(all[1]!)).toBe(all[1]!.y);
});

test("without smoothing, values are as they are, and bands are shown", () => {
  const [one] = ordered(lines({ x: column([0, 1]), y: column([1, 2]), low: column([0, 1]), high: column([2, 3]) }));
  expect(smoothed([one!], 0).get(one!)).toBe(one!.y);
  const shown = drawn(one!, one!.y, [0, 1], 100, false);
  expect(shown.raw).toBeNull();
  expect(shown.band!.high.y).toEqual([2, 3]);
});

test("on a logarithmic axis, what is not positive is a gap", () => {
  const [one] = ordered(lines({ x: column([0, 1, 2]), y: column([1, 0, 10]) }));
  expect(drawn(one!, one!.y, [0, 2], 100, true).main.y).toEqual([1, null, 10]);
});

test("the y axis holds a line where it enters and leaves", () => {
  const [one] = ordered(lines({ x: column([0, 10]), y: column([0, 10]) }));
  expect([...seen(drawn(one!, one!.y, [4, 6], 100, false), [4, 6])]).toEqual([[4, 6]]);
});
