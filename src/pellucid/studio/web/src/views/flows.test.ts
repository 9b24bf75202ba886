import { expect, test } from "vitest";
import type { Flow } from "$lib/kinds";
import { outline, place } from "./flows";

const ints = (...data: number[]) => ({ data: Int32Array.from(data), shape: [data.length] });

function flow(...values: number[]): Flow {
  return {
    kind: "Flow", title: "", caption: "", nodes: ["a", "b", "B", "A"], stages: ints(0, 0, 1, 1), stage_names: ["before", "after"],
    sources: ints(0, 1, 0), targets: ints(3, 2, 2), values: { data: Float64Array.from(values), shape: [3] },
    value: { label: "samples", unit: "", scale: "linear", limits: null }, members: new Map(),
  };
}

test("bands fill their nodes, and nodes stay apart and within", () => {
  const { nodes, bands } = place(flow(3, 2, 1))!;
  for (const node of nodes) {
    const source = node.stage === 0;
    const own = bands.filter((band) => (source ? band.source : band.target) === node);
    const edges = own.map((band) => (source ? band.leaves : band.enters));
    expect(Math.min(...edges)).toBeCloseTo(node.top);
    expect(own.reduce((sum, band) => sum + band.thickness, 0)).toBeCloseTo(node.height);
    expect(node.top).toBeGreaterThanOrEqual(0);
    expect(node.top + node.height).toBeLessThanOrEqual(1 + 1e-9);
  }
  const [upper, lower] = nodes.filter((node) => node.stage === 0).sort((a, b) => a.top - b.top);
  expect(lower!.top).toBeGreaterThan(upper!.top + upper!.height);
});

test("nodes are ordered so that bands do not cross", () => {
  const { nodes } = place(flow(3, 2, 0))!;
  const top = (name: string) => nodes.find((node) => node.name === name)!.top;
  expect(top("a") < top("b")).toBe(top("A") < top("B"));
});

test("links of nothing are left out, and a flow of nothing is none", () => {
  expect(place(flow(3, NaN, 1))!.bands.map((band) => band.link)).toEqual([0, 2]);
  expect(place(flow(0, -1, NaN))).toBeNull();
});

test("a band is drawn between its two edges", () => expect(outline(0, 10, 1, 2, 3)).toBe("M0.0 1.0C5.0 1.0 5.0 2.0 10.0 2.0V5.0C5.0 5.0 5.0 4.0 0.0 4.0Z"));
