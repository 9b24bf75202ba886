// @vitest-environment node
import type { ResultDetail, ResultSummary } from "$lib/schemas";
import { expect, test } from "vitest";
import { insideResults, readUnits, structureOf, viewsOfLayer } from "./inside";

const result = (id: string, kind: string, created: string, more: Partial<ResultDetail> = {}): ResultDetail => ({
  id, kind, created, title: kind, run: null, model: "timm:a", data: "", method: "", missing: false, tags: [], note: "", summary: "", headline: [], meta: {}, views: [], ...more,
});
const view = (index: number, kind: string, layer: string) => ({ index, kind, title: "", caption: "", samples: [], layer });

test("results of a run's model are told from those of its base", () => {
  const all: ResultSummary[] = [result("1", "weights", "1"), result("2", "weights", "2", { run: "r" }), result("3", "evaluation", "3"), result("4", "structure", "4")];
  expect(insideResults(all, "timm:a").map(({ id }) => id)).toEqual(["4", "1"]);
  expect(insideResults(all, "run:r").map(({ id }) => id)).toEqual(["2"]);
});

test("the newest drawing of the structure is taken", () => {
  const details = [result("2", "structure", "2", { views: [view(0, "Table", ""), view(1, "Graph", "")] }), result("1", "structure", "1", { views: [view(0, "Graph", "")] })];
  expect(structureOf(details)).toMatchObject({ result: { id: "2" }, view: { index: 1 } });
  expect(structureOf([])).toBeUndefined();
});

test("a layer shows the newest of each kind, and all feature images", () => {
  const details = [
    result("4", "feature_image", "4", { views: [view(0, "ImageGrid", "conv")] }),
    result("3", "feature_image", "3", { views: [view(0, "ImageGrid", "conv")] }),
    result("2", "weights", "2", { views: [view(0, "Histogram", "conv"), view(1, "Histogram", "head")] }),
    result("1", "weights", "1", { views: [view(0, "Histogram", "conv")] }),
  ];
  expect(viewsOfLayer(details, "conv").map((shown) => shown.result.id)).toEqual(["4", "3", "2"]);
  expect(viewsOfLayer(details, "none")).toEqual([]);
});

test("units are read as numbers and stretches", () => {
  expect(readUnits("0, 3 7-9")).toEqual([0, 3, 7, 8, 9]);
  expect(readUnits("a")).toBeNull();
  expect(readUnits("9-3")).toBeNull();
  expect(readUnits("0-99")).toBeNull();
  expect(readUnits("")).toBeNull();
});
