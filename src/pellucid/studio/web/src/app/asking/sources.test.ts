import { expect, test } from "vitest";
import { inAddress, sourceOf, type Source } from "./sources";

function again(source: Source): Source | null {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(inAddress(source))) if (value) query.set(key, value);
  return sourceOf(new URLSearchParams(query.toString()));
}

const sources: Source[] = [
  { from: "upload", id: "in_1" },
  { from: "text", text: "A film that is kept on its feet & shines. 很好" },
  { from: "text", text: "" },
  { from: "text", text: "kept" },
  { from: "text", text: "long ".repeat(2_000) },
  { from: "data", data: "photos", split: "", position: 0 },
  { from: "data", data: "digits", split: "test", position: 12 },
  { from: "result", result: "r1", sample: "a/b c.png" },
];

test.each(sources)("an address brings $from back", (source) => expect(again(source)).toEqual(source));

test("another source empties the keys of the one before", () => {
  expect(inAddress({ from: "upload", id: "x" })).toMatchObject({ input: "x", text: null, data: null, sample: null });
  expect(Object.values(inAddress(null)).every((value) => value === null)).toBe(true);
});

test("an address without a source has none", () => {
  expect(sourceOf(new URLSearchParams("model=run:a&data=digits"))).toBeNull();
  expect(sourceOf(new URLSearchParams("sample=a"))).toBeNull();
});
