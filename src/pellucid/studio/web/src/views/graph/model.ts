// What is said of a graph's items: titles, details, names to find them by, numbers to colour them by.
import type { Graph, TableColumn } from "$lib/kinds";
import { phrase } from "$lib/phrases.svelte";
import { columnLabel, formatted, specOf } from "$lib/wording";
import { amountsOf } from "./amounts";
import type { Hierarchy } from "./hierarchy";

export const MARKS = ["added", "removed", "changed"] as const;
export type Mark = (typeof MARKS)[number];
export const SIGNS: Record<Mark, string> = { added: "+", removed: "−", changed: "≠" };

export class GraphModel {
  readonly count: number;
  readonly #columns: Map<string, TableColumn>;
  readonly #specs: Map<string, string>;

  constructor(
    readonly graph: Graph,
    readonly hierarchy: Hierarchy,
  ) {
    this.count = graph.labels.length;
    this.#columns = new Map(graph.details.map((column) => [column.name, column]));
    this.#specs = new Map(graph.details.map((column) => [column.name, specOf(column)]));
  }

  isGroup = (item: number): boolean => item >= 0 && this.hierarchy.children[item]!.length > 0;
  isRepeat = (item: number): boolean => item >= 0 && this.graph.kinds[item] === "repeat";
  times = (item: number): number => this.graph.times.data[item] ?? 1;
  kind = (item: number): string => this.graph.kinds[item] ?? "operator";
  type = (item: number): string => this.graph.types[item] ?? "";
  label = (item: number): string => this.graph.labels[item] ?? "";

  /** A box's name; a stack of groups built alike has the name of what it is made of. */
  title(item: number): string {
    const times = this.times(item);
    return times > 1 ? `${this.type(item) || this.label(item)} ×${times}` : this.label(item);
  }

  /** The second line of a box. */
  below(item: number): string {
    return this.times(item) > 1 ? this.label(item) : [this.type(item), this.shape(item)].filter(Boolean).join("  ");
  }

  detail(item: number, name: string): string {
    const value = this.#columns.get(name)?.values[item];
    return value === undefined || value === null || value === "" ? "" : formatted(value, this.#specs.get(name));
  }

  details(item: number): { name: string; value: string }[] {
    return this.graph.details
      .map((column) => ({ name: columnLabel(column), value: phrase(this.detail(item, column.name)) }))
      .filter(({ value }) => value && value !== "–");
  }

  shape(item: number): string {
    return this.detail(item, "output shape").replaceAll(" × ", "×");
  }

  /** The dotted name of the module, by which other pages know a layer. */
  module(item: number): string {
    return this.detail(item, "module") || this.label(item);
  }

  mark(item: number): Mark | null {
    const mark = this.graph.marks[item];
    return MARKS.find((each) => each === mark) ?? null;
  }

  share(item: number): number | null {
    const share = this.graph.shares?.data[item];
    return share === undefined || Number.isNaN(share) ? null : share;
  }

  sourcesOf(item: number): number[] {
    return this.#ends(this.graph.targets.data, this.graph.sources.data, item);
  }

  targetsOf(item: number): number[] {
    return this.#ends(this.graph.sources.data, this.graph.targets.data, item);
  }

  #ends(near: ArrayLike<number>, far: ArrayLike<number>, item: number): number[] {
    const found = new Set<number>();
    for (let edge = 0; edge < near.length; edge += 1) if (near[edge] === item) found.add(far[edge]!);
    return [...found];
  }

  /** Items whose names hold all words of `search`. */
  find(search: string): number[] {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    return Array.from({ length: this.count }, (_, item) => item).filter((item) => {
      const name = `${this.module(item)} ${this.label(item)} ${this.type(item)}`.toLowerCase();
      return words.every((word) => name.includes(word));
    });
  }
}

/** What boxes can be coloured by: the kind of step, what changed, the share, or a detail in numbers. */
export interface Colouring {
  by: "kind" | "marks" | "share" | "detail";
  name: string;
}

export function colouringsOf(graph: Graph): Colouring[] {
  const details = graph.details.filter((column) => amountsOf(column.values) !== null);
  return [
    { by: "kind", name: "" },
    ...(graph.marks.some((mark) => mark && mark !== "same") ? [{ by: "marks" as const, name: "" }] : []),
    ...(graph.shares ? [{ by: "share" as const, name: graph.share_of }] : []),
    ...details.map(({ name }) => ({ by: "detail" as const, name })),
  ];
}

export interface Scale {
  /** Strength of each item's colour from 0 to 1; NaN if its number is unknown. */
  strengths: Float64Array;
  low: string;
  high: string;
}

const WIDE = 100; // ratio of the largest to the smallest number from which colours go by logarithms

/** How strongly each item is coloured; numbers that span more than two decades by their logarithm. */
export function scaleOf(graph: Graph, colouring: Colouring): Scale | null {
  if (colouring.by === "kind" || colouring.by === "marks") return null;
  const column = graph.details.find(({ name }) => name === colouring.name);
  const values = colouring.by === "share" ? Float64Array.from(graph.shares?.data ?? []) : amountsOf(column?.values ?? []);
  if (!values) return null;
  const [least, most] = endsOf(values);
  if (least < 0) return null;
  const span = Math.log(most / least);
  const isWide = most / least > WIDE;
  const strengths = values.map((value) => {
    if (Number.isNaN(value) || !(most > 0)) return value;
    if (!isWide) return value / most;
    return value > 0 ? 0.06 + (0.94 * Math.log(value / least)) / span : 0;
  });
  const said = (value: number) => {
    const at = values.indexOf(value);
    return colouring.by === "share" || !column ? formatted(value, ".1%") : formatted(column.values[at] ?? null, specOf(column)).replace(/ \(.*\)$/, "");
  };
  return { strengths, low: isWide ? said(least) : "0", high: said(most) };
}

// The smallest number above zero, or the smallest of all if one is negative; and the largest.
function endsOf(values: Float64Array): [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (value !== 0) least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return [least, most];
}
