import { expect, test } from "vitest";
import type { Job, ResultDetail, RunSummary } from "$lib/schemas";
import { hubChoice, modelOf, modelsOf, namesOf } from "./models";

test("a run's model is asked for by the run, another by its source, and code by nothing", () => {
  expect(modelOf({ run: "r1", model: "run:/home/x/runs/pets" })).toBe("run:r1");
  expect(modelOf({ run: null, model: "torchvision:resnet18" })).toBe("torchvision:resnet18");
  expect(modelOf({ run: null, model: "python:evil.py:model" })).toBe("");
  expect(modelOf({ run: null, model: "hf:/etc" })).toBe("");
});

test("a model of Hugging Face is chosen by its name, and no path is one", () => {
  expect(hubChoice("hf:distilbert-base-uncased")?.reference).toBe("hf:distilbert-base-uncased");
  expect(hubChoice("sentence-transformers/all-MiniLM-L6-v2")).toMatchObject({ reference: "hf:sentence-transformers/all-MiniLM-L6-v2", source: "hf" });
  for (const words of ["", "resnet", "hf:", "hf:/etc/passwd", "../up", "a/b/c", "hf:a/../b", "python:evil", "run:x"]) expect(hubChoice(words), words).toBeNull();
});

const detail = { id: "c", model: "run:/work/runs/pets-2", meta: { parameters: { model_a: { source: "bundled:efficientnet-lite0" } } } } as unknown as ResultDetail;
const runs = [{ id: "k9", name: "pets-2" }] as RunSummary[];

test("both models of a comparison are known from its record, or from the job that made it", () => {
  expect(modelsOf(detail, [], runs)).toEqual({ a: "bundled:efficientnet-lite0", b: "run:k9" });
  expect(namesOf(detail)).toEqual({ a: "efficientnet-lite0", b: "pets-2" });
  expect(modelsOf({ ...detail, run: "r7" }, [], []).b).toBe("run:r7");
  expect(modelsOf(detail, [], [])).toEqual({ a: "bundled:efficientnet-lite0", b: "" });
  const job = { kind: "compare", results: ["c"], parameters: { model: { reference: "run:1" }, other: { reference: "run:2" } } } as unknown as Job;
  expect(modelsOf(detail, [job], runs)).toEqual({ a: "run:1", b: "run:2" });
});
