// @vitest-environment node
import { expect, test } from "vitest";
import { find, matches } from "./search";

test("all words must be there, in any order and case", () => {
  expect(matches("ResNet-18 on digits", "DIGITS resnet")).toBe(true);
  expect(matches("ResNet-18 on digits", "resnet flowers")).toBe(false);
});

test("what begins with the words comes first, and the order else stays", () => {
  expect(find(["big resnet", "resnet50", "vit", "resnet18"], "resnet", (text) => text)).toEqual(["resnet50", "resnet18", "big resnet"]);
  expect(find(["b", "a"], " ", (text) => text)).toEqual(["b", "a"]);
});
