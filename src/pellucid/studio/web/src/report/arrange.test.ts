import { expect, test } from "vitest";
import { arrange } from "./arrange";
import type { ViewEntry } from "./record";

const view = (id: string, narrow = false, sample = ""): ViewEntry => ({ id, block: id, kind: "Lines", title: id, narrow, sample });

test("narrow views go in pairs, and one that is left over takes the width", () => {
  const parts = arrange([view("a", true), view("b", true), view("c", true), view("d"), view("e", true)]);
  expect(parts.map((part) => part.width)).toEqual(["half", "half", "wide", "wide", "wide"]);
});

test("samples explained one after another are one gallery", () => {
  const parts = arrange([view("a", false, "x"), view("b", false, "y"), view("c"), view("d", false, "z")]);
  expect(parts.map((part) => [part.gallery, part.views.length])).toEqual([[true, 2], [false, 1], [true, 1]]);
});
