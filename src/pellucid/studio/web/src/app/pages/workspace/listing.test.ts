// @vitest-environment node
import type { RunSummary } from "$lib/schemas";
import { expect, test } from "vitest";
import { countBy, listResults, listRuns, windowOf, type Wanted } from "./listing";

const run = (id: string, more: Partial<RunSummary> = {}): RunSummary => ({
  id, name: id, created: "2026-01-01", status: "finished", why: "", model: "timm:resnet18", data: "digits", data_source: "bundled:digits", strategy: "head", num_samples: 10, epochs: 1, seconds: 1,
  validation_accuracy: null, validation_loss: null, num_results: 0, tags: [], note: "", job: null, ...more,
});
const wanted = (more: Partial<Wanted> = {}): Wanted => ({ typed: "", kind: "", tag: "", sort: "created", descending: true, ...more });
const ids = (list: { id: string }[]) => list.map(({ id }) => id).join("");

test("words are looked for in names, models, data, tags and notes", () => {
  const runs = [run("a", { note: "check class 8" }), run("b", { tags: ["paper"] }), run("c", { model: "bundled:efficientnet" })];
  expect(ids(listRuns(runs, wanted({ typed: "class check" })))).toBe("a");
  expect(ids(listRuns(runs, wanted({ typed: "PAPER" })))).toBe("b");
  expect(ids(listRuns(runs, wanted({ typed: "efficient" })))).toBe("c");
  expect(ids(listRuns(runs, wanted({ typed: "  " })))).toBe("abc");
});

test("states and tags narrow the list together", () => {
  const runs = [run("a", { status: "failed", tags: ["x"] }), run("b", { tags: ["x"] }), run("c", { status: "failed" })];
  expect(ids(listRuns(runs, wanted({ kind: "failed", tag: "x" })))).toBe("a");
});

test("numbers sort as numbers, names as people count, and what is missing comes last", () => {
  const runs = [run("run10", { validation_accuracy: 0.9 }), run("run2", { validation_accuracy: null }), run("run1", { validation_accuracy: 0.5 })];
  expect(listRuns(runs, wanted({ sort: "name", descending: false })).map(({ id }) => id)).toEqual(["run1", "run2", "run10"]);
  expect(listRuns(runs, wanted({ sort: "accuracy" })).map(({ id }) => id)).toEqual(["run10", "run1", "run2"]);
  expect(listRuns(runs, wanted({ sort: "accuracy", descending: false })).map(({ id }) => id)).toEqual(["run1", "run10", "run2"]);
});

test("an unknown order falls back to the newest first, and the given list is left as it is", () => {
  const runs = [run("a", { created: "2026-01-01" }), run("b", { created: "2026-01-02" })];
  expect(ids(listRuns(runs, wanted({ sort: "nonsense" })))).toBe("ba");
  expect(ids(runs)).toBe("ab");
});

test("a result is found by the name of its run", () => {
  const result = { id: "r", kind: "evaluation", title: "Evaluation", created: "1", run: "x", model: "", data: "", data_source: "", method: "", missing: false, tags: [], note: "" };
  expect(listResults([result], wanted({ typed: "flowers" }), () => "flowers-head")).toHaveLength(1);
  expect(listResults([result], wanted({ typed: "flowers" }))).toHaveLength(0);
});

test("only rows near what is seen are drawn", () => {
  expect(windowOf(2000, 50, 5000, 800)).toEqual([88, 128]);
  expect(windowOf(2000, 50, 0, 800)).toEqual([0, 28]);
  expect(windowOf(10, 50, 90_000, 800)).toEqual([10, 10]);
  expect(windowOf(0, 50, 0, 800)).toEqual([0, 0]);
});

test("values are counted, the most frequent first", () => {
  expect(countBy(["b", "a", "b", "c"], (value) => value)).toEqual([["b", 2], ["a", 1], ["c", 1]]);
});
