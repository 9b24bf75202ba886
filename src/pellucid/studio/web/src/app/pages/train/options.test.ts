// @vitest-environment node
import { expect, test } from "vitest";
import { readOptions } from "./options";

const from = (texts: Record<string, string>, strategy = "head") => readOptions((name) => texts[name] ?? null, strategy);

test("only what differs from the standard is sent", () => {
  expect(from({ epochs: "10", batch_size: "64", optimizer: "adamw", schedule: "linear" }).values).toEqual({ batch_size: 64, schedule: "linear" });
});

test("options of another strategy are left out", () => {
  expect(from({ lora_rank: "4" }).values).toEqual({});
  expect(from({ lora_rank: "4" }, "lora").values).toEqual({ lora_rank: 4 });
});

test("what cannot be is named", () => {
  const { troubles, values } = from({ epochs: "0", batch_size: "2.5", warmup: "1", learning_rate: "fast" });
  expect(troubles).toEqual({ epochs: "least", batch_size: "whole", warmup: "below", learning_rate: "number" });
  expect(values).toEqual({});
});

test("gradual unfreezing needs three epochs", () => {
  expect(from({ epochs: "2" }, "gradual").troubles).toEqual({ epochs: "epochs" });
});

test("a list is sent as a list", () => {
  expect(from({ augment: "flip,crop" }).values).toEqual({ augment: ["flip", "crop"] });
});
