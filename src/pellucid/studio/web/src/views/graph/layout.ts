// From a graph in groups, and which of them are open, to boxes and lines. Groups are laid out inside out,
// and what did not change is kept.
import { counterpart, hierarchyOf, shownOf, type Crossing, type Hierarchy, type Open, type Openness, type Structure } from "./hierarchy";
import { arrange, Layer, type Arranged, type Link, type Net } from "./layers";

export const WIDTH = 148; // of a closed item
export const HEIGHT = 40;
export const SMALL = 26; // height of an operator that belongs to no module of its own
const HEAD = 26;
const MOST_PORTS = 8;
const PLAIN = new Set(["operator", "residual", "join", "gate", "input", "output"]);
export const LINE_KINDS = ["data", "residual", "skip", "gate"] as const;
export type LineKind = (typeof LINE_KINDS)[number];

/** Boxes, outer before inner, and lines, in typed arrays that go from the worker without a copy. */
export interface Drawing {
  width: number;
  height: number;
  /** The item of each box; x, y, width and height of each; whether it is an open group. */
  items: Int32Array;
  boxes: Float32Array;
  open: Uint8Array;
  /** Points of all lines (x, y); line `i` has those from `starts[i]` to `starts[i + 1]`. */
  points: Float32Array;
  starts: Int32Array;
  /** Place in LINE_KINDS; whether it ends in an arrow; the items at its ends, -1 for a border. */
  kinds: Uint8Array;
  heads: Uint8Array;
  from: Int32Array;
  to: Int32Array;
}

interface Route {
  points: number[];
  kind: string;
  hasHead: boolean;
  from: number;
  to: number;
}

interface Spot {
  item: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The inside of an open group from its own left top, and where lines cross its border, by their source. */
interface Frame {
  width: number;
  height: number;
  frames: Map<number, Frame>;
  spots: Spot[];
  routes: Route[];
  portsIn: Map<number, number>;
  portsOut: Map<number, number>;
}

/** Lays out one graph again and again, as groups are opened and closed. */
export class Layouts {
  readonly hierarchy: Hierarchy;
  #kept = new Map<number, Frame>();
  #before: Open = new Map();

  constructor(structure: Structure) {
    this.hierarchy = hierarchyOf(structure);
  }

  layOut(open: Open): Drawing {
    for (const item of new Set([...open.keys(), ...this.#before.keys()])) {
      if (open.get(item) !== this.#before.get(item)) this.#forget(item);
    }
    this.#before = new Map(open);
    return drawingOf(frameOf(this.hierarchy, this.hierarchy.root, open, this.#kept));
  }

  #forget(item: number): void {
    const { root, parents } = this.hierarchy;
    for (let at = item; at !== root; at = parents[at]!) this.#kept.delete(at);
    this.#kept.delete(root);
  }
}

function frameOf(h: Hierarchy, item: number, open: Open, kept: Map<number, Frame>): Frame {
  const found = kept.get(item);
  if (found) return found;
  const shown = shownOf(h, item, open);
  const items = h.children[shown]!;
  const opened = items.filter((child) => open.has(child) && h.children[child]!.length);
  const frames = new Map(opened.map((child) => [child, frameOf(h, child, open, kept)]));
  const ports = { entering: portsOf(h.entering[shown]!), leaving: portsOf(h.leaving[shown]!) };
  const places = new Map(items.map((child, place) => [child, ports.entering.count + place]));
  const links = linksOf(h, shown, { frames, places, open, first: ports.entering.count + items.length, ...ports });
  const net = netOf(h, items, frames, ports.entering.count, ports.leaving.count, links);
  const placed = arrange(net, item === h.root ? 0 : HEAD);
  const frame = { frames, width: placed.width, height: placed.height, ...drawnIn(items, frames, places, net, placed, ports, items.length) };
  kept.set(item, frame);
  return frame;
}

interface Ports {
  /** Place of each source's port among the ports of that side. */
  at: Map<number, number>;
  count: number;
}

// A port for each source; one for all if there are too many.
function portsOf(crossings: readonly Crossing[]): Ports {
  const sources = [...new Set(crossings.map(({ source }) => source))].sort((one, other) => one - other);
  const areFew = sources.length <= MOST_PORTS;
  return { at: new Map(sources.map((source, place) => [source, areFew ? place : 0])), count: areFew ? sources.length : 1 };
}

interface Inside {
  frames: Map<number, Frame>;
  places: Map<number, number>;
  open: Open;
  /** Number of the first node below. */
  first: number;
  entering: Ports;
  leaving: Ports;
}

/** One line per value between two places; plain data hides what else goes the same way. */
function linksOf(h: Hierarchy, shown: number, { frames, places, open, first, entering, leaving }: Inside): Link[] {
  const links = new Map<string, Link>();
  const add = (link: Link) => {
    const key = `${link.start} ${link.end} ${link.out} ${link.into}`;
    const before = links.get(key);
    if (!before || (before.kind !== link.kind && link.kind === "data")) links.set(key, link);
  };
  const outOf = (child: number, source: number) => {
    const frame = frames.get(child);
    return frame ? shiftOf(frame, frame.portsOut, counterpart(h, child, source, open)) : 0;
  };
  const intoOf = (child: number, source: number) => {
    const frame = frames.get(child);
    return frame ? shiftOf(frame, frame.portsIn, source) : 0;
  };
  for (const { child, source, kind } of h.entering[shown]!) {
    add({ start: entering.at.get(source)!, end: places.get(child)!, source, kind, out: 0, into: intoOf(child, source) });
  }
  for (const { start, end, source, kind } of h.inner[shown]!) {
    add({ start: places.get(start)!, end: places.get(end)!, source, kind, out: outOf(start, source), into: intoOf(end, source) });
  }
  for (const { child, source } of h.leaving[shown]!) {
    add({ start: places.get(child)!, end: first + leaving.at.get(source)!, source, kind: "data", out: outOf(child, source), into: 0 });
  }
  return [...links.values()];
}

// How far from the middle of its border a value crosses it.
function shiftOf(frame: Frame, ports: Map<number, number>, source: number): number {
  const port = ports.get(source) ?? ports.values().next().value;
  return port === undefined ? 0 : port - frame.width / 2;
}

function netOf(h: Hierarchy, items: readonly number[], frames: Map<number, Frame>, tops: number, bottoms: number, links: Link[]): Net {
  const flat = <T>(value: T, count: number): T[] => new Array<T>(count).fill(value);
  const sizes = items.map((child) => frames.get(child) ?? { width: WIDTH, height: PLAIN.has(h.kinds[child]!) ? SMALL : HEIGHT });
  return {
    widths: [...flat(0, tops), ...sizes.map(({ width }) => width), ...flat(0, bottoms)],
    heights: [...flat(0, tops), ...sizes.map(({ height }) => height), ...flat(0, bottoms)],
    layers: [...flat(Layer.Top, tops), ...flat(Layer.Free, items.length), ...flat(Layer.Bottom, bottoms)],
    links,
  };
}

function drawnIn(
  items: readonly number[], frames: Map<number, Frame>, places: Map<number, number>, net: Net, placed: Arranged,
  ports: { entering: Ports; leaving: Ports }, count: number,
): Pick<Frame, "spots" | "routes" | "portsIn" | "portsOut"> {
  const tops = ports.entering.count;
  const itemAt = (node: number) => items[node - tops] ?? -1;
  const crossed = ({ at }: Ports, first: number) => new Map([...at].map(([source, port]) => [source, placed.x[first + port]!]));
  return {
    spots: items.map((item) => {
      const place = places.get(item)!;
      return { item, x: placed.x[place]! - net.widths[place]! / 2, y: placed.y[place]!, width: net.widths[place]!, height: net.heights[place]! };
    }),
    routes: net.links.map((link, number) => {
      const [from, to] = [itemAt(link.start), itemAt(link.end)];
      return { points: placed.lines[number]!, kind: link.kind, hasHead: to >= 0 && !frames.has(to), from, to };
    }),
    portsIn: crossed(ports.entering, 0),
    portsOut: crossed(ports.leaving, tops + count),
  };
}

function drawingOf(root: Frame): Drawing {
  const [spots, routes]: [(Spot & { isOpen: boolean })[], Route[]] = [[], []];
  const collect = (frame: Frame, left: number, top: number) => {
    for (const route of frame.routes) routes.push({ ...route, points: route.points.map((value, at) => value + (at % 2 ? top : left)) });
    for (const spot of frame.spots) {
      const inside = frame.frames.get(spot.item);
      spots.push({ ...spot, x: spot.x + left, y: spot.y + top, isOpen: inside !== undefined });
      if (inside) collect(inside, left + spot.x, top + spot.y);
    }
  };
  collect(root, 0, 0);
  return { width: root.width, height: root.height, ...packedSpots(spots), ...packedRoutes(routes) };
}

function packedSpots(spots: readonly (Spot & { isOpen: boolean })[]): Pick<Drawing, "items" | "boxes" | "open"> {
  const boxes = new Float32Array(4 * spots.length);
  spots.forEach(({ x, y, width, height }, at) => boxes.set([x, y, width, height], 4 * at));
  return { items: Int32Array.from(spots, ({ item }) => item), boxes, open: Uint8Array.from(spots, ({ isOpen }) => Number(isOpen)) };
}

function packedRoutes(routes: readonly Route[]): Omit<Drawing, "width" | "height" | "items" | "boxes" | "open"> {
  const starts = new Int32Array(routes.length + 1);
  routes.forEach((route, at) => (starts[at + 1] = starts[at]! + route.points.length));
  const points = new Float32Array(starts[routes.length]!);
  routes.forEach((route, at) => points.set(route.points, starts[at]));
  return {
    points, starts,
    kinds: Uint8Array.from(routes, ({ kind }) => Math.max(0, LINE_KINDS.indexOf(kind as LineKind))),
    heads: Uint8Array.from(routes, ({ hasHead }) => Number(hasHead)),
    from: Int32Array.from(routes, ({ from }) => from),
    to: Int32Array.from(routes, ({ to }) => to),
  };
}

export type { Openness };
