import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { unpack } from "$lib/pack";
import { csv, dataOf } from "./data";

function fixture(name: string) {
  const bytes = readFileSync(`src/lib/fixtures/${name}.view`);
  return unpack(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
}

test("texts are quoted, gaps are empty, formulas are not run", () => {
  expect(csv([["a,b", 'say "hi"', null], [NaN, -1, "=1+1"]])).toBe('"a,b","say ""hi""",\r\n,-1,\'=1+1\r\n');
});

test("what is tabular becomes CSV with units in its header", () => {
  expect(dataOf(fixture("Lines")).text.split("\r\n").slice(0, 2)).toEqual(["series,epoch,loss (nats),low,high", "training,0,4,,"]);
  expect(dataOf(fixture("Matrix")).text).toBe("true \\ predicted,cat,dog\r\ncat,8,2\r\ndog,1,9\r\n");
  expect(dataOf(fixture("Flow")).text).toContain("cats,dog,1\r\n");
  expect(dataOf(fixture("Histogram")).text).toContain("0.25,0.5,1,2\r\n");
  expect(dataOf(fixture("Surface")).text.split("\r\n")).toHaveLength(22);
});

test("anything else becomes JSON that can be read again", () => {
  const { text, extension } = dataOf(fixture("Graph"));
  expect(extension).toBe("json");
  expect(JSON.parse(text).parents.data).toEqual([-1, -1, 1, 2, 2, 1, 5, 5, -1]);
  expect(JSON.parse(dataOf(fixture("ImageGrid")).text).pictures[0].pixels).toEqual({ shape: [16, 16, 3] });
});
