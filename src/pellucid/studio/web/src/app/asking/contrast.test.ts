import { expect, test } from "vitest";
import type { Heatmap, Overlay, Tokens } from "$lib/kinds";
import { sideBySide, type Part } from "./contrast";
import type { Reasons } from "./questions.svelte";

function overlay(...methods: string[]): Overlay {
  const maps = methods.map((name): Heatmap => ({ name, values: { data: Float32Array.of(1), shape: [1, 1] }, limit: 1, signed: true, caption: name }));
  return { kind: "Overlay", title: "s", caption: "", maps, picture: { pixels: { url: "u", shape: [1, 1, 3] }, sample: "s", label: "", tone: "neutral" }, probabilities: null };
}
const part = (name: string, view: Overlay | Tokens): Part => ({ name, reasons: { views: [view] } as unknown as Reasons });

test("one picture carries the maps of all questions, told apart by what they answer", () => {
  const [view] = sideBySide([part("for cat", overlay("CAM")), part("for dog", overlay("CAM"))], "Why?") as Overlay[];
  expect(view!.title).toBe("Why?");
  expect(view!.maps.map(({ name, caption }) => [name, caption])).toEqual([["for cat", "CAM"], ["for dog", ""]]);
});

test("several methods are named as well", () => {
  const [view] = sideBySide([part("for cat", overlay("CAM", "LRP"))], "") as Overlay[];
  expect(view!.maps.map(({ name }) => name)).toEqual(["for cat · CAM", "for cat · LRP"]);
});

test("texts keep one view for each question", () => {
  const tokens = { kind: "Tokens", title: "x", caption: "y" } as Tokens;
  expect(sideBySide([part("for good", tokens), part("for bad", tokens)], "").map(({ title }) => title)).toEqual(["for good", "for bad"]);
  expect(sideBySide([], "")).toEqual([]);
});
