import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { View, ViewKind } from "./kinds";
import { PackError, release, unpack } from "./pack";

const KINDS: ViewKind[] = [
  "Lines", "Bars", "Histogram", "Matrix", "Scatter", "ImageGrid", "Overlay", "Tokens", "Table", "Text", "Graph", "Flow", "Surface",
];

function block(name: string): ArrayBuffer {
  const bytes = readFileSync(`src/lib/fixtures/${name}.view`);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

function read<K extends ViewKind>(kind: K, name: string = kind): Extract<View, { kind: K }> {
  const view = unpack(block(name));
  expect(view.kind).toBe(kind);
  return view as Extract<View, { kind: K }>;
}

beforeEach(() => {
  let made = 0;
  URL.createObjectURL = vi.fn(() => `blob:${++made}`);
  URL.revokeObjectURL = vi.fn();
});
afterEach(() => vi.restoreAllMocks());

test("every kind that Python writes is read", () => {
  for (const kind of KINDS) expect(read(kind).title).not.toBe("");
});

test("numbers come with their shape", () => {
  const lines = read("Lines");
  expect([...lines.series[1]!.low!.data]).toEqual([4, 3.5, 3, 2.5, 2]);
  expect(lines.series[0]!.low).toBeNull();
  const surface = read("Surface");
  expect(surface.values.shape).toEqual([5, 4]);
  expect(surface.values.data).toBeInstanceOf(Float64Array);
  expect(read("Graph").parents.data).toBeInstanceOf(Int32Array);
});

test("mappings and missing numbers are what they were", () => {
  expect(read("Matrix").members.get("0,1")).toEqual(["a", "b"]);
  expect(read("Flow").members.get("1")).toEqual(["c"]);
  expect([...read("Histogram").counts.keys()]).toEqual(["right", "wrong"]);
  const table = read("Table");
  expect(table.columns[1]!.values[1]).toBeNaN();
  expect(table.columns[1]!.values[2]).toBeNull();
});

test("a picture gets its URL when it is asked for, and gives it back", () => {
  const grid = read("ImageGrid");
  expect(URL.createObjectURL).not.toHaveBeenCalled();
  const { pixels } = grid.pictures[0]!;
  expect(pixels.shape).toEqual([16, 16, 3]);
  expect([pixels.url, pixels.url]).toEqual(["blob:1", "blob:1"]);
  release(grid);
  expect(URL.revokeObjectURL).toHaveBeenCalledExactlyOnceWith("blob:1");
  expect(pixels.url).toBe("blob:2");
});

test("compact maps are put together again", () => {
  const [map] = read("Overlay", "compact").maps;
  const steps = Float32Array.from({ length: 12 }, (_, i) => -1 + (2 * i) / 11);
  map!.values.data.forEach((value, i) => expect(Math.abs(value - steps[i]!)).toBeLessThan(0.5 * (2 / 254) + 1e-6));
});

test("what is damaged is told", () => {
  expect(() => unpack(new ArrayBuffer(4))).toThrow(PackError);
  expect(() => unpack(block("Lines").slice(0, 400))).toThrow("cut off");
  const other = block("Text");
  new DataView(other).setUint32(8, 7, true);
  expect(() => unpack(other)).toThrow("version 7");
});
