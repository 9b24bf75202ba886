import { describe, expect, test } from "vitest";
import { begun, extended, fromAddress, RADII, simplified, toAddress, type Stroke } from "./strokes";

const line: Stroke = { points: [[0, 0], [0.25, 0.25], [0.5, 0.5], [1, 0.5]], radius: 0.05 };

describe("painting", () => {
  test("a stroke grows only by steps that can be seen, and stays in the picture", () => {
    const first = begun([], [0.5, -3], 0.1);
    expect(first).toEqual([{ points: [[0.5, 0]], radius: 0.1 }]);
    expect(extended(first, [0.505, 0])).toBe(first);
    expect(extended(first, [2, 0]).at(-1)!.points).toEqual([[0.5, 0], [1, 0]]);
  });

  test("a radius outside what the server takes is brought inside", () => {
    expect(begun([], [0, 0], 9)[0]!.radius).toBe(RADII.most);
  });

  test("no more strokes are kept than can be asked about", () => {
    let strokes: Stroke[] = [];
    for (let i = 0; i < 210; i++) strokes = begun(strokes, [i / 210, 0], 0.05);
    expect(strokes).toHaveLength(200);
    expect(strokes.at(-1)!.points[0]![0]).toBeCloseTo(209 / 210);
  });

  test("extending nothing changes nothing", () => expect(extended([], [0, 0])).toEqual([]));
});

describe("addresses", () => {
  test("points on a straight line are left out, corners are kept", () => {
    expect(simplified(line).points).toEqual([[0, 0], [0.5, 0.5], [1, 0.5]]);
  });

  test("strokes come back from an address within a thousandth", () => {
    const back = fromAddress(toAddress([line, line]));
    expect(back).toHaveLength(2);
    expect(back[0]!.radius).toBeCloseTo(0.05, 2);
    back[0]!.points.flat().forEach((value, i) => expect(value).toBeCloseTo(simplified(line).points.flat()[i]!, 2.5));
  });

  test("what is not understood is left out, and what is too long is not written", () => {
    expect(fromAddress("zz.!!.1")).toEqual([]);
    expect(fromAddress("")).toEqual([]);
    expect(toAddress([line], 3)).toBe("");
  });
});
