// A graph sorted into its groups, so that each can be laid out by itself.
import type { Graph } from "$lib/kinds";

/** What the layout needs of a graph; it travels to the worker. */
export interface Structure {
  kinds: string[];
  parents: Int32Array;
  sources: Int32Array;
  targets: Int32Array;
  edgeKinds: string[];
}

export function structureOf(graph: Graph): Structure {
  return {
    kinds: [...graph.kinds],
    parents: Int32Array.from(graph.parents.data),
    sources: Int32Array.from(graph.sources.data),
    targets: Int32Array.from(graph.targets.data),
    edgeKinds: [...graph.edge_kinds],
  };
}

/** A value that crosses the border of a group, from or to one of its children. */
export interface Crossing {
  child: number;
  source: number;
  kind: string;
}

export interface Inner {
  start: number;
  end: number;
  source: number;
  kind: string;
}

/** Items by group; the last entry of each list is the graph as a whole, `root`. */
export interface Hierarchy {
  root: number;
  parents: Int32Array;
  kinds: readonly string[];
  children: number[][];
  inner: Inner[][];
  entering: Crossing[][];
  leaving: Crossing[][];
}

/** How an open group is shown: of several built alike only the first, or all. */
export type Openness = "one" | "all";
export type Open = ReadonlyMap<number, Openness>;

const lists = <T>(count: number): T[][] => Array.from({ length: count }, () => []);

export function hierarchyOf(graph: Structure): Hierarchy {
  const root = graph.kinds.length;
  const parents = graph.parents.map((parent) => (parent < 0 ? root : parent));
  const found: Hierarchy = {
    root, parents, kinds: graph.kinds, children: lists(root + 1), inner: lists(root + 1), entering: lists(root + 1), leaving: lists(root + 1),
  };
  const depths = new Int32Array(root + 1);
  depths[root] = -1;
  parents.forEach((parent, item) => {
    depths[item] = depths[parent]! + 1;
    found.children[parent]!.push(item);
  });
  graph.sources.forEach((source, edge) => addEdge(found, depths, source, graph.targets[edge]!, graph.edgeKinds[edge] ?? "data"));
  return found;
}

// From both ends up to the group that holds them: the borders that are crossed, and the line between.
function addEdge(found: Hierarchy, depths: Int32Array, source: number, target: number, kind: string): void {
  const { parents } = found;
  let [start, end] = [source, target];
  while (parents[start] !== parents[end]) {
    if (depths[start]! >= depths[end]!) {
      found.leaving[parents[start]!]!.push({ child: start, source, kind });
      start = parents[start]!;
    } else {
      found.entering[parents[end]!]!.push({ child: end, source, kind });
      end = parents[end]!;
    }
  }
  if (start !== end) found.inner[parents[start]!]!.push({ start, end, source, kind });
}

const isFolded = (h: Hierarchy, item: number, open: Open) => item !== h.root && h.kinds[item] === "repeat" && open.get(item) !== "all";

/** The group whose inside is shown for `item`: of several built alike the first, unless all are asked for. */
export function shownOf(h: Hierarchy, item: number, open: Open): number {
  return isFolded(h, item, open) ? (h.children[item]![0] ?? item) : item;
}

/** The operator in what is shown of `item` that stands for `source`, which may be in a twin of it. */
export function counterpart(h: Hierarchy, item: number, source: number, open: Open): number {
  if (!isFolded(h, item, open)) return source;
  let twin = source;
  while (h.parents[twin] !== item && h.parents[twin] !== h.root) twin = h.parents[twin]!;
  return h.parents[twin] === item ? source - twin + h.children[item]![0]! : source;
}
