// Where the nodes and bands of a flow lie, so that few bands cross; as pellucid/views/flows.py does it.
import type { Flow } from "$lib/kinds";

const GAP = 0.28;
const SWEEPS = 6;

export interface Node {
  at: number;
  name: string;
  stage: number;
  amount: number;
  top: number;
  height: number;
  /** Place among the colours: nodes of one name have one. */
  place: number;
}

export interface Band {
  link: number;
  source: Node;
  target: Node;
  value: number;
  leaves: number;
  enters: number;
  thickness: number;
}

export interface Placed {
  nodes: Node[];
  /** Widest first. */
  bands: Band[];
  numStages: number;
}

/** Positions from 0 to 1, downwards; null if nothing flows. */
export function place(view: Flow): Placed | null {
  const links = Array.from(view.values.data, (value, link) => ({ link, value, from: view.sources.data[link]!, to: view.targets.data[link]! }))
    .filter(({ value }) => Number.isFinite(value) && value > 0);
  if (!links.length) return null;
  const out = new Float64Array(view.nodes.length);
  const into = new Float64Array(view.nodes.length);
  for (const { from, to, value } of links) [out[from], into[to]] = [out[from]! + value, into[to]! + value];
  const places = new Map<string, number>();
  const nodes = view.nodes.map((name, at): Node => {
    const amount = Math.max(out[at]!, into[at]!);
    if (amount > 0 && !places.has(name)) places.set(name, places.size);
    return { at, name, stage: view.stages.data[at]!, amount, top: 0, height: 0, place: places.get(name) ?? 0 };
  });
  const stages = [...new Set(nodes.map((node) => node.stage))].map((stage) => nodes.filter((node) => node.stage === stage && node.amount > 0));
  const scale = stack(stages, ranked(nodes, stages, links));
  const bands = links.map(({ link, value, from, to }): Band => ({ link, value, source: nodes[from]!, target: nodes[to]!, leaves: 0, enters: 0, thickness: value * scale }));
  attach(bands, "source");
  attach(bands, "target");
  bands.sort((a, b) => b.value - a.value);
  return { nodes: nodes.filter((node) => node.amount > 0), bands, numStages: Math.max(...nodes.map((node) => node.stage)) + 1 };
}

interface Link {
  from: number;
  to: number;
  value: number;
}

/** Order within a stage: each node near the mean of what it is linked to. */
function ranked(nodes: Node[], stages: Node[][], links: Link[]): number[] {
  const ranks = nodes.map(() => 0);
  const spread = (stage: Node[]) => stage.forEach((node, at) => (ranks[node.at] = at / Math.max(stage.length - 1, 1)));
  stages.forEach(spread);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const [own, other] = sweep % 2 ? (["from", "to"] as const) : (["to", "from"] as const);
    const [weights, pulls] = [nodes.map(() => 0), nodes.map(() => 0)];
    for (const link of links) {
      weights[link[own]] = weights[link[own]]! + link.value;
      pulls[link[own]] = pulls[link[own]]! + link.value * ranks[link[other]]!;
    }
    const wanted = nodes.map((node) => (weights[node.at]! > 0 ? pulls[node.at]! / weights[node.at]! : ranks[node.at]!));
    for (const stage of stages) spread([...stage].sort((a, b) => wanted[a.at]! - wanted[b.at]! || a.at - b.at));
  }
  return ranks;
}

/** Give nodes their place; how high one unit of value is, equal in all stages. */
function stack(stages: Node[][], ranks: number[]): number {
  const sum = (stage: Node[]) => stage.reduce((total, node) => total + node.amount, 0);
  const most = Math.max(...stages.map((stage) => stage.length));
  const gap = Math.min(0.04, GAP / Math.max(most - 1, 1));
  const scale = (1 - gap * (most - 1)) / Math.max(...stages.map(sum));
  for (const stage of stages) {
    let top = (1 - sum(stage) * scale - gap * (stage.length - 1)) / 2;
    for (const node of [...stage].sort((a, b) => ranks[a.at]! - ranks[b.at]!)) {
      [node.top, node.height] = [top, node.amount * scale];
      top += node.height + gap;
    }
  }
  return scale;
}

/** Stack the bands at their nodes, in the order of their other ends. */
function attach(bands: Band[], end: "source" | "target"): void {
  const [other, edge] = end === "source" ? (["target", "leaves"] as const) : (["source", "enters"] as const);
  const filled = new Map<Node, number>();
  for (const band of [...bands].sort((a, b) => a[other].top - b[other].top)) {
    const top = filled.get(band[end]) ?? band[end].top;
    band[edge] = top;
    filled.set(band[end], top + band.thickness);
  }
}

/** The outline of a band between two columns, in pixels. */
export function outline(left: number, right: number, leaves: number, enters: number, thickness: number): string {
  const middle = (left + right) / 2;
  const to = (...numbers: number[]) => numbers.map((number) => number.toFixed(1)).join(" ");
  return `M${to(left, leaves)}C${to(middle, leaves, middle, enters, right, enters)}V${to(enters + thickness)}C${to(middle, enters + thickness, middle, leaves + thickness, left, leaves + thickness)}Z`;
}
