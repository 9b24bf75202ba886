import { expect, test } from "vitest";
import type { ResultSummary, RunSummary } from "$lib/schemas";
import { requestOf, titleOfResult } from "./request";

test("items go in their order, each as the run or the result that it is", () => {
  const items = [
    { kind: "result" as const, id: "e", title: "Evaluation", views: [0, 2], comment: " Look here. " },
    { kind: "run" as const, id: "r", title: "pets", views: null, comment: "" },
  ];
  expect(requestOf({ title: " ", note: "n ", format: "pdf", items }, "Report on pets")).toEqual({
    title: "Report on pets",
    note: "n",
    format: "pdf",
    items: [
      { result: "e", views: [0, 2], comment: "Look here." },
      { run: "r", views: null, comment: "" },
    ],
  });
});

test("a result is named by its kind and its model", () => {
  const result = { kind: "evaluation", run: "r", model: "x" } as ResultSummary;
  expect(titleOfResult(result, [{ id: "r", name: "pets" } as RunSummary])).toBe("Evaluation · pets");
  expect(titleOfResult({ ...result, run: null }, [])).toBe("Evaluation · x");
});
