// @vitest-environment node
import type { Curve } from "$lib/schemas";
import { expect, test } from "vitest";
import { appended, chartsOf, linesOf, metricWord, refined } from "./curves";

const curve = (run: string, name: string, x: number[], y: (number | null)[]): Curve => ({ run, name, x, y, total: x.length, exact: true });

test("metrics that belong together share a chart, and others get their own", () => {
  const charts = chartsOf(["step.loss", "epoch.validation_loss", "epoch.train_loss", "step.gpu_memory", "epoch.seconds", "epoch.validation_accuracy"]);
  expect(charts.map((chart) => chart.id)).toEqual(["loss", "accuracy", "step.loss", "step.gpu_memory"]);
  expect(charts[0]?.names).toEqual(["epoch.validation_loss", "epoch.train_loss"]);
});

test("an unknown metric is named as it names itself", () => {
  expect(metricWord("step.gpu_memory")).toBe("gpu memory");
  expect(metricWord("epoch.train_loss")).toBe("training");
});

test("missing values are gaps, and runs are named where there are several", () => {
  const chart = { id: "step.loss", names: ["step.loss"] };
  const both = linesOf(chart, [curve("a", "step.loss", [1, 2], [0.5, null]), curve("b", "step.loss", [1], [1])], [{ id: "a", name: "first" }, { id: "b", name: "second" }]);
  expect(both.series.map((series) => series.name)).toEqual(["first", "second"]);
  expect(both.series[0]?.y.data[1]).toBeNaN();
  const one = linesOf(chart, [curve("a", "step.loss", [1], [0.5])], [{ id: "a", name: "first" }]);
  expect(one.series[0]?.name).toBe("loss");
});

test("exact points stand in for coarse ones of their stretch alone", () => {
  const coarse = curve("a", "step.loss", [1, 10, 20, 30], [1, 2, 3, 4]);
  const exact = curve("a", "step.loss", [9, 10, 11], [5, 6, 7]);
  const [joined] = refined([coarse], [exact], [8, 12]);
  expect(joined?.x).toEqual([1, 9, 10, 11, 20, 30]);
  expect(joined?.y).toEqual([1, 5, 6, 7, 3, 4]);
  expect(refined([coarse], [], [8, 12])[0]).toBe(coarse);
});

test("news are added behind what is known, once, and replace it after a reset", () => {
  const known = [curve("a", "step.loss", [1, 2], [5, 4])];
  const news = curve("a", "step.loss", [2, 3], [4, 3]);
  expect(appended(known, [news], false)[0]?.x).toEqual([1, 2, 3]);
  expect(appended(known, [news], true)[0]?.x).toEqual([2, 3]);
  expect(appended(known, [curve("a", "step.loss", [1], [9])], false)[0]).toBe(known[0]);
  expect(appended(known, [curve("a", "epoch.train_loss", [1], [9])], false)).toHaveLength(2);
});
