import { expect, test } from "vitest";
import type { Heatmap, Overlay, Picture } from "$lib/kinds";
import type { Why } from "$lib/schemas";
import { merged } from "./merging";
import type { Reasons } from "./questions.svelte";

function map(name: string, value: number): Heatmap {
  return { name, values: { data: Float32Array.of(value), shape: [1, 1] }, limit: 1, signed: true, caption: "" };
}

function reasons(url: string, methods: string[], value: number): Reasons {
  const picture: Picture = { pixels: { url, shape: [1, 1, 3] }, sample: "s", label: "", tone: "neutral" };
  const view: Overlay = { kind: "Overlay", title: "s", caption: url, picture, maps: methods.map((name) => map(name, value)), probabilities: null };
  const answer = { label: "cat", index: 0, logit: 1, probability: 1 };
  const predictions = { answers: [answer], num_classes: 1, seconds: 0 };
  const why: Why = { id: url, predictions, target: answer, views: [], methods, faithfulness: [], refused: {}, seconds: 0 };
  return { why, views: [view], stale: [] };
}

test("fresh maps take the place of old ones, the others stay and are told apart", () => {
  const found = merged(reasons("old", ["cam", "occlusion", "saliency"], 1), reasons("new", ["cam"], 2));
  const view = found.views[0] as Overlay;
  expect(view.maps.map((each) => [each.name, each.values.data[0]])).toEqual([["cam", 2], ["occlusion", 1], ["saliency", 1]]);
  expect(view.picture.pixels.url).toBe("new");
  expect(found.stale).toEqual(["occlusion", "saliency"]);
  expect(found.why.methods).toEqual(["cam", "occlusion", "saliency"]);
});
