import { expect, test } from "vitest";
import python from "../fixtures/python.json";
import { amountOf, amountsOf } from "./amounts";
import { hierarchyOf, type Openness, type Structure } from "./hierarchy";
import { fitApart } from "./isotonic";
import { Layouts, LINE_KINDS, type Drawing } from "./layout";
import { colouringsOf, GraphModel, scaleOf } from "./model";
import type { Graph } from "$lib/kinds";

function structure(given: { kinds: string[]; parents: number[]; sources: number[]; targets: number[]; edge_kinds: string[] }): Structure {
  return { kinds: given.kinds, parents: Int32Array.from(given.parents), sources: Int32Array.from(given.sources), targets: Int32Array.from(given.targets), edgeKinds: given.edge_kinds };
}

const all = (given: { opened: number[] }) => new Map<number, Openness>(given.opened.map((item) => [item, "one"]));
const boxOf = ({ boxes }: Drawing, at: number) => [...boxes.subarray(4 * at, 4 * at + 4)] as [number, number, number, number];

test("boxes and lines are where Python puts them", () => {
  for (const each of python.graphs) {
    const drawing = new Layouts(structure(each)).layOut(all(each));
    expect([...drawing.items]).toEqual(each.spots.map(([item]) => item));
    each.spots.forEach(([, ...spot], at) => {
      boxOf(drawing, at).forEach((value, side) => expect(value).toBeCloseTo(spot[side] as number, 2));
      expect(Boolean(drawing.open[at])).toBe(spot[4]);
    });
    expect([drawing.width, drawing.height]).toEqual([expect.closeTo(each.size[0]!, 3), expect.closeTo(each.size[1]!, 3)]);
    each.routes.forEach(([kind, hasHead, ...ends], route) => {
      const points = drawing.points.subarray(drawing.starts[route], drawing.starts[route + 1]);
      expect(LINE_KINDS[drawing.kinds[route]!]).toBe(kind);
      expect(Boolean(drawing.heads[route])).toBe(hasHead);
      expect(points.length / 2).toBe(ends[4]);
      [points[0]!, points[1]!, points.at(-2)!, points.at(-1)!].forEach((value, at) => expect(value).toBeCloseTo(ends[at] as number, 2));
    });
  }
});

// Layers of several branches with residuals, in groups; drawn by a simple generator, so that it is always the same.
function network(operators: number, grouped: boolean): Structure {
  const [kinds, parents, sources, targets, edgeKinds]: [string[], number[], number[], number[], string[]] = [[], [], [], [], []];
  let [seed, before, group, began] = [7, -1, -1, -1];
  const chance = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const edge = (source: number, target: number, kind: string) => { sources.push(source); targets.push(target); edgeKinds.push(kind); };
  for (let made = 0; made < operators; made += 1) {
    if (grouped && made % 12 === 0) { group = kinds.length; kinds.push("group"); parents.push(-1); }
    const item = kinds.length;
    kinds.push(made % 5 ? "layer" : "operator");
    parents.push(group);
    if (before >= 0) edge(chance() < 0.15 && item - before < 3 && before > 2 ? before - 1 : before, item, "data");
    if (made % 12 === 0) began = item;
    if (made % 12 === 11) edge(began, item, "residual");
    if (chance() > 0.1) before = item;
  }
  for (let at = 0; at < sources.length; at += 1) if (kinds[sources[at]!] === "group") sources[at]! -= 1;
  return { kinds, parents: Int32Array.from(parents), sources: Int32Array.from(sources), targets: Int32Array.from(targets), edgeKinds };
}

const everything = (net: Structure) => new Map<number, Openness>(net.kinds.flatMap((kind, item) => (kind === "group" ? [[item, "one"]] : [])));

test.each([false, true])("nothing overlaps, and lines go down from what gives to what takes (in groups: %s)", (grouped) => {
  const net = network(600, grouped);
  const drawing = new Layouts(net).layOut(everything(net));
  const closed = [...drawing.items.keys()].filter((at) => !drawing.open[at]);
  expect(closed).toHaveLength(600);
  const sorted = closed.map((at) => boxOf(drawing, at)).sort((one, other) => one[1] - other[1]);
  sorted.forEach(([x, y, width, height], at) => {
    for (let next = at + 1; next < sorted.length && sorted[next]![1] < y + height - 0.01; next += 1) {
      const [otherX, , otherWidth] = sorted[next]!;
      expect(x + width <= otherX + 0.01 || otherX + otherWidth <= x + 0.01).toBe(true);
    }
  });
  const place = new Map([...drawing.items].map((item, at) => [item, boxOf(drawing, at)]));
  net.sources.forEach((source, edge) => expect(place.get(source)![1] + place.get(source)![3]).toBeLessThan(place.get(net.targets[edge]!)![1]));
  for (let route = 0; route < drawing.kinds.length; route += 1) {
    const points = drawing.points.subarray(drawing.starts[route], drawing.starts[route + 1]);
    for (let at = 3; at < points.length; at += 2) expect(points[at]!).toBeGreaterThanOrEqual(points[at - 2]! - 0.01);
  }
});

test("the same graph is laid out alike, whatever was opened before", () => {
  const net = network(200, true);
  const [first, second] = [new Layouts(net), new Layouts(net)];
  const open = everything(net);
  second.layOut(new Map());
  second.layOut(new Map([...open].slice(3)));
  expect(second.layOut(open)).toEqual(first.layOut(open));
});

test("8,000 operators side by side are laid out without a stack overflow, in time that grows no faster than they do", () => {
  const timed = (net: Structure) => {
    const started = performance.now();
    const drawing = new Layouts(net).layOut(new Map());
    expect(drawing.items).toHaveLength(net.kinds.length);
    return performance.now() - started;
  };
  timed(network(1000, false));
  expect(timed(network(8000, false))).toBeLessThan(40 * Math.max(20, timed(network(1000, false))));
});

test("places in order are as near as can be to what is wanted", () => {
  expect(fitApart([0, 0, 10], [2, 2], [1, 1, 1])).toEqual([-1, 1, 10]);
  expect(fitApart([], [], [])).toEqual([]);
});

const graph: Graph = {
  kind: "Graph", title: "", caption: "", labels: ["in", "block", "conv", "relu"], types: ["", "Block", "Conv2d", "ReLU"], kinds: ["input", "repeat", "layer", "layer"],
  parents: { data: Int32Array.of(-1, -1, 1, 1), shape: [4] }, times: { data: Int32Array.of(1, 2, 1, 1), shape: [4] },
  sources: { data: Int32Array.of(0, 2), shape: [2] }, targets: { data: Int32Array.of(2, 3), shape: [2] }, edge_kinds: ["data", "data"],
  details: [
    { name: "module", unit: "", format: "", values: ["", "layers", "layers.0.conv", "layers.0.relu"] },
    { name: "parameters", unit: "", format: "", values: ["0", "1,728", "1.5 M", "0"] },
    { name: "time", unit: "", format: "", values: ["–", "1.65 ms (3.3 %)", "289 µs", "2 s"] },
  ],
  shares: { data: Float64Array.of(NaN, 0.5, 0.25, 0), shape: [4] }, share_of: "time", marks: ["same", "changed", "added", "same"], opened: [],
};

test("words of amounts are numbers again", () => {
  expect(["21.7 M", "2 KiB", "1.65 ms (3.3 %)", "289 µs", "1,728", "−3", "0 B"].map(amountOf)).toEqual([21.7e6, 2048, 1.65e-3, 289e-6, 1728, -3, 0].map((value) => expect.closeTo(value, 9)));
  expect([amountOf("n × 3"), amountOf("float32"), amountOf(null)]).toEqual([NaN, NaN, NaN]);
  expect(amountsOf(["float32", "3"])).toBeNull();
  expect(amountsOf(["1", "–", "2"])).toEqual(Float64Array.of(1, NaN, 2));
});

test("boxes can be coloured by what changed, by their share, and by every detail in numbers", () => {
  expect(colouringsOf(graph).map(({ by, name }) => `${by} ${name}`)).toEqual(["kind ", "marks ", "share time", "detail parameters", "detail time"]);
  const parameters = scaleOf(graph, { by: "detail", name: "parameters" })!;
  expect([parameters.low, parameters.high]).toEqual(["1,728", "1.5 M"]);
  expect([...parameters.strengths]).toEqual([0, 0.06, 1, 0].map((value) => expect.closeTo(value, 9)));
  const time = scaleOf(graph, { by: "detail", name: "time" })!;
  expect([time.low, time.high]).toEqual(["289 µs", "2 s"]);
  expect(time.strengths[0]).toBeNaN();
  expect(scaleOf(graph, { by: "share", name: "time" })!.high).toBe("50.0%");
});

test("a model of the graph says what a box needs", () => {
  const model = new GraphModel(graph, hierarchyOf(structure({ ...graph, parents: [-1, -1, 1, 1], sources: [0, 2], targets: [2, 3] })));
  expect([model.title(1), model.title(2), model.module(2), model.mark(0), model.mark(1)]).toEqual(["Block ×2", "conv", "layers.0.conv", null, "changed"]);
  expect(model.find("LAYERS relu")).toEqual([3]);
  expect(model.find(" ")).toEqual([]);
  expect([model.sourcesOf(2), model.targetsOf(2)]).toEqual([[0], [3]]);
});
