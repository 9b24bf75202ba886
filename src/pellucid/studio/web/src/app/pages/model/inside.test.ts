// @vitest-environment node
import type { ResultDetail, ResultSummary } from "$lib/schemas";
import { expect, test } from "vitest";
import { figuresOf, insideResults, readUnits, structureOf, tablesOf, viewsOfLayer } from "./inside";

const result = (id: string, kind: string, created: string, more: Partial<ResultDetail> = {}): ResultDetail => ({
  id, kind, created, title: kind, run: null, model: "timm:a", data: "", data_source: "", method: "", missing: false, tags: [], note: "", summary: "", headline: [], meta: {}, views: [], ...more,
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

test("views named after a tensor or a unit of the layer are about it, parts inside come after, namesakes do not", () => {
  const named = (index: number, title: string) => ({ ...view(index, "Matrix", ""), title });
  const details = [result("1", "weights", "1", { views: [named(0, "Weights of block.1.conv.weight"), named(1, "Weights of block.1.weight"), named(2, "Unit block.1:7"), named(3, "Weights of block.12.weight")] })];
  expect(viewsOfLayer(details, "block.1").map((shown) => shown.view.index)).toEqual([1, 2, 0]);
});

test("the rows of a layer become columns of figures", () => {
  const column = (name: string, values: (string | number | null)[], format = "", unit = "") => ({ name, values, format, unit });
  const table = { kind: "Table" as const, title: "Every tensor", caption: "c", columns: [column("no.", [1, 2, 3]), column("tensor", ["conv.weight", "conv.bias", "convolution.weight"]), column("RMS", [0.51234, null, 9], ".2f"), column("time", [1, 2, 3], "d", "ms"), column("why", ["", "", "x"])] };
  const figures = figuresOf(table, "conv");
  expect(figures?.columns).toMatchObject([{ values: ["RMS", "time (ms)"] }, { name: "conv.weight", values: ["0.51", "1"] }, { name: "conv.bias", values: ["–", "2"] }]);
  expect(figuresOf(table, "head")).toBeNull();
});

test("tables are those of the newest result of each kind", () => {
  const details = [result("2", "weights", "2", { views: [view(3, "Table", ""), view(4, "Bars", "")] }), result("1", "weights", "1", { views: [view(0, "Table", "")] })];
  expect(tablesOf(details).map((shown) => [shown.result.id, shown.view.index])).toEqual([["2", 3]]);
});
