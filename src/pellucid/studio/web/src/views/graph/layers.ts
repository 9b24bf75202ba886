// Nodes in layers (Sugiyama, Tagawa and Toda, 1981), as pellucid/views/layered does it: layers by longest
// path, order by barycentres, places by least squares. Linear in what is drawn, but for sorting.
import { fitApart } from "./isotonic";

const GAP_X = 22;
const GAP_LINE = 12;
const GAP_Y = 20;
export const PAD = 14;
const LONGEST = 250; // layers that a line may cross and still be led between the nodes
const SWEEPS = 4;
const FAINT = 0.02; // pull of what goes past, against that of what goes through

export enum Layer { Top, Free, Bottom }

/** A line from the bottom of one node to the top of a later one, `out` and `into` from their middles. */
export interface Link {
  start: number;
  end: number;
  out: number;
  into: number;
  source: number;
  kind: string;
}

/** Nodes by number: all tops, then the others so that links go forward, then all bottoms. */
export interface Net {
  widths: number[];
  heights: number[];
  layers: Layer[];
  links: Link[];
}

/** Middle `x` and top `y` of each node, the points of each link as x, y, x, y, …, and the size of all. */
export interface Arranged {
  x: number[];
  y: number[];
  lines: number[][];
  ranks: number[];
  width: number;
  height: number;
}

interface Near {
  node: number;
  shift: number;
  pull: number;
}

/** The nodes, and a thin one wherever a link crosses a layer. */
interface Chained {
  widths: number[];
  ranks: number[];
  weights: number[];
  above: Near[][];
  below: Near[][];
  chains: number[][];
}

/** Places nodes below each other, with `head` above them. */
export function arrange(net: Net, head: number): Arranged {
  const ranks = ranksOf(net);
  const chained = chainedOf(net, ranks);
  const places = placesOf(chained, orderOf(chained));
  const { tops, depths, height } = heightsOf(net, ranks, head);
  let [left, right] = places.length ? [Infinity, -Infinity] : [0, 0];
  places.forEach((middle, node) => {
    left = Math.min(left, middle - chained.widths[node]! / 2);
    right = Math.max(right, middle + chained.widths[node]! / 2);
  });
  const x = places.map((middle) => middle - left + PAD);
  const y = net.heights.map((high, node) => tops[ranks[node]!]! + (depths[ranks[node]!]! - high) / 2);
  const lines = net.links.map((link, number) => {
    const points = [x[link.start]! + link.out, y[link.start]! + net.heights[link.start]!];
    for (const node of chained.chains[number]!) {
      const rank = chained.ranks[node]!;
      points.push(x[node]!, tops[rank]!, x[node]!, tops[rank]! + depths[rank]!);
    }
    points.push(x[link.end]! + link.into, y[link.end]!);
    return points;
  });
  return { x, y, lines, ranks, width: right - left + 2 * PAD, height };
}

/** Longest way from above; what takes nothing goes right above what takes it. */
export function ranksOf(net: Net): number[] {
  const first = net.layers.includes(Layer.Top) ? 1 : 0;
  const ranks: number[] = net.layers.map((layer) => (layer === Layer.Top ? 0 : first));
  const isTaken = new Uint8Array(ranks.length);
  const following: number[][] = ranks.map(() => []);
  for (const link of [...net.links].sort((one, other) => one.end - other.end)) {
    ranks[link.end] = Math.max(ranks[link.end]!, ranks[link.start]! + 1);
    isTaken[link.end] = 1;
    following[link.start]!.push(link.end);
  }
  for (let node = ranks.length - 1; node >= 0; node -= 1) {
    if (net.layers[node] !== Layer.Free || isTaken[node] || !following[node]!.length) continue;
    ranks[node] = following[node]!.reduce((least, end) => Math.min(least, ranks[end]!), Infinity) - 1;
  }
  let last = -1;
  ranks.forEach((rank, node) => {
    if (net.layers[node] !== Layer.Bottom) last = Math.max(last, rank);
  });
  return ranks.map((rank, node) => (net.layers[node] === Layer.Bottom ? last + 1 : rank));
}

function chainedOf(net: Net, ranks: readonly number[]): Chained {
  const made: Chained = {
    widths: [...net.widths],
    ranks: [...ranks],
    weights: net.layers.map((layer) => (layer === Layer.Free ? 50 : 1)),
    above: ranks.map(() => []),
    below: ranks.map(() => []),
    chains: [],
  };
  const joined = new Map<number, number>();
  for (const { end, kind } of net.links) if (kind === "skip") joined.set(end, (joined.get(end) ?? 0) + 1);
  made.chains = net.links.map((link) => chain(made, link, pullOf(link, joined)));
  return made;
}

// How much a link draws its ends to each other; all that is joined somewhere, as one.
function pullOf({ end, kind }: Link, joined: ReadonlyMap<number, number>): number {
  if (kind === "skip") return 1 / joined.get(end)!;
  return kind === "data" ? 1 : FAINT;
}

function chain(made: Chained, link: Link, pull: number): number[] {
  const [first, last] = [made.ranks[link.start]!, made.ranks[link.end]!];
  const nodes: number[] = [];
  if (last - first - 1 <= LONGEST) {
    for (let rank = first + 1; rank < last; rank += 1) {
      nodes.push(made.widths.length);
      made.widths.push(0);
      made.ranks.push(rank);
      made.weights.push(link.kind === "data" ? 2 : 1);
      made.above.push([]);
      made.below.push([]);
    }
  }
  const way = [link.start, ...nodes, link.end];
  for (let place = 0; place + 1 < way.length; place += 1) {
    const [upper, lower] = [way[place]!, way[place + 1]!];
    const out = place === 0 ? link.out : 0;
    const into = place === way.length - 2 ? link.into : 0;
    made.above[lower]!.push({ node: upper, shift: out - into, pull });
    made.below[upper]!.push({ node: lower, shift: into - out, pull });
  }
  return nodes;
}

const layersOf = (ranks: readonly number[]) => ranks.reduce((most, rank) => Math.max(most, rank), -1) + 1;

/** Nodes of each layer from left to right, so that few lines cross. */
function orderOf(chained: Chained): number[][] {
  const order: number[][] = Array.from({ length: layersOf(chained.ranks) }, () => []);
  chained.ranks.forEach((rank, node) => order[rank]!.push(node));
  const place = new Float64Array(chained.ranks.length);
  const key = new Float64Array(chained.ranks.length);
  const number = (layer: readonly number[]) => layer.forEach((node, at) => (place[node] = at));
  order.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const near = sweep % 2 ? chained.below : chained.above;
    for (const layer of sweep % 2 ? [...order].reverse() : order) {
      if (layer.length < 2) continue;
      for (const node of layer) {
        const beside = near[node]!;
        let sum = 0;
        for (const other of beside) sum += place[other.node]!;
        key[node] = beside.length ? sum / beside.length : place[node]!;
      }
      layer.sort((one, other) => key[one]! - key[other]!);
      number(layer);
    }
  }
  return order;
}

/** Middle of each node: as near as can be to its neighbours', without overlap. */
function placesOf(chained: Chained, order: readonly number[][]): number[] {
  const x = new Array<number>(chained.widths.length).fill(0);
  const wanted = (node: number, near: readonly Near[][]) => {
    let [total, sum] = [0, 0];
    for (const other of near[node]!) {
      total += other.pull;
      sum += (x[other.node]! + other.shift) * other.pull;
    }
    return total ? sum / total : x[node]!;
  };
  const gaps = order.map((layer) => gapsOf(layer, chained.widths));
  const weights = order.map((layer) => layer.map((node) => chained.weights[node]!));
  const settle = (rank: number, near: readonly Near[][] | null) => {
    const layer = order[rank]!;
    if (layer.length === 1) {
      x[layer[0]!] = near ? wanted(layer[0]!, near) : 0;
      return;
    }
    const fitted = fitApart(layer.map((node) => (near ? wanted(node, near) : 0)), gaps[rank]!, weights[rank]!);
    layer.forEach((node, at) => (x[node] = fitted[at]!));
  };
  const downward = order.map((_, rank) => rank);
  const upward = [...downward].reverse();
  for (const rank of downward) settle(rank, null);
  for (let sweep = 0; sweep < 2 * SWEEPS; sweep += 1) {
    for (const rank of sweep % 2 ? upward : downward) settle(rank, sweep % 2 ? chained.below : chained.above);
  }
  for (const rank of downward) settle(rank, chained.above);
  return x;
}

function gapsOf(layer: readonly number[], widths: readonly number[]): number[] {
  return layer.slice(1).map((node, at) => {
    const [one, other] = [widths[layer[at]!]!, widths[node]!];
    return (one + other) / 2 + (one && other ? GAP_X : GAP_LINE);
  });
}

/** Top and depth of each layer, and the height of all. */
function heightsOf(net: Net, ranks: readonly number[], head: number): { tops: number[]; depths: number[]; height: number } {
  const depths = new Array<number>(layersOf(ranks)).fill(0);
  ranks.forEach((rank, node) => (depths[rank] = Math.max(depths[rank]!, net.heights[node]!)));
  const [hasTop, hasBottom] = [net.layers.includes(Layer.Top), net.layers.includes(Layer.Bottom)];
  const tops: number[] = [];
  let y = head + PAD;
  depths.forEach((depth, rank) => {
    if (hasTop && rank === 0) tops.push(0);
    else if (hasBottom && rank === depths.length - 1) tops.push(y - GAP_Y + PAD);
    else {
      tops.push(y);
      y += depth + GAP_Y;
    }
  });
  return { tops, depths, height: y - GAP_Y + PAD };
}
