import { expect, test } from "vitest";
import type { ResultDetail } from "$lib/schemas";
import { storedViews } from "./comparison";

const view = (index: number, kind: string, samples: string[]) => ({ index, kind, title: "", caption: "", samples, layer: "" });

test("stored explanations are told apart by their turn", () => {
  const views = [view(0, "Table", []), view(1, "ImageGrid", ["s", "t"]), view(2, "Overlay", ["s"]), view(3, "Overlay", ["s"]), view(4, "Tokens", ["t"]), view(5, "Tokens", ["t"]), view(6, "Tokens", ["t"]), view(7, "Tokens", ["t"])];
  const found = storedViews({ views } as unknown as ResultDetail);
  expect(found.get("s")).toEqual({ a: [2], b: [3] });
  expect(found.get("t")).toEqual({ a: [4, 6], b: [5, 7] });
  expect(found.size).toBe(2);
});
