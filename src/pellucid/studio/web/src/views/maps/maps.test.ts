import { expect, test } from "vitest";
import python from "../fixtures/python.json";
import { colourTable, levelOf, paint, resize, SIGNED_MAPS, UNSIGNED_MAPS } from "./colours";
import { DEFAULTS, maps, parsed, written } from "./controls.svelte";
import { Lens } from "./link.svelte";

test("maps are fitted to pictures, and find their colours, as in Python", () => {
  for (const each of python.maps) {
    const [height, width] = each.fitted as [number, number];
    const fitted = resize({ data: Float32Array.from(each.values), shape: each.shape }, height, width);
    fitted.forEach((value, at) => expect(value).toBeCloseTo(each.larger[at]!, 4));
    const levels = each.larger.map((value) => levelOf(value, each.limit, each.signed));
    levels.forEach((level, at) => expect(Math.abs(level - each.levels[at]!)).toBeLessThanOrEqual(1));
  }
});

test("each table has 256 colours, of which no two tables are alike", () => {
  const names = [...SIGNED_MAPS, ...UNSIGNED_MAPS];
  for (const name of names) expect(colourTable(name)).toHaveLength(4 * 256);
  expect(new Set(names.map((name) => colourTable(name).join())).size).toBe(names.length);
});

test("what is weaker than the threshold is not painted; NaN never hides its neighbours", () => {
  const pixels = paint([0.1, -0.9, NaN, 1], { limit: 1, signed: true }, "RdBu_r", 0.5);
  expect([pixels[3], pixels[11]]).toEqual([0, 0]);
  expect(pixels[7]).toBeGreaterThan(200);
  expect([...pixels.subarray(12, 16)]).toEqual([...colourTable("RdBu_r").subarray(4 * 255)]);
  expect(resize({ data: Float32Array.of(1, NaN, 1, 1), shape: [2, 2] }, 4, 4).every(Number.isFinite)).toBe(true);
});

test("blank and broken limits fall back to one", () => {
  const all = (limit: number) => [...paint([0, 1], { limit, signed: false }, "inferno")];
  expect(all(0)).toEqual(all(1));
  expect(all(NaN)).toEqual(all(1));
});

test("a choice goes through a URL and back; nonsense in it is left out", () => {
  maps.read(new URLSearchParams("map=alone&opacity=0.3&threshold=0.25&signed=PuOr_r&colours=viridis"));
  expect(maps.choice).toEqual({ mode: "alone", opacity: 0.3, threshold: 0.25, signed: "PuOr_r", unsigned: "viridis" });
  expect(parsed(new URLSearchParams(maps.query()))).toEqual(maps.choice);
  expect(parsed(new URLSearchParams("map=upside&opacity=7&threshold=&signed=rainbow"))).toEqual({});
  maps.read(new URLSearchParams());
  expect(maps.choice).toEqual(DEFAULTS);
  expect(written(DEFAULTS)).toEqual({});
});

test("a lens keeps the place it enlarges, and stays on the picture", () => {
  const lens = new Lens();
  lens.zoom(4, 0.75, 0.5);
  expect(lens.x + (0.75 - lens.x)).toBeCloseTo(0.75);
  expect([lens.x, lens.y]).toEqual([0.5625, 0.375]);
  lens.move(1, -1);
  expect([lens.x, lens.y]).toEqual([0.75, 0]);
  lens.zoom(0.001);
  expect([lens.scale, lens.x, lens.y]).toEqual([1, 0, 0]);
});

