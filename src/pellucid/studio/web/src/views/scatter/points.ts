// The points of a scatter plot, prepared once: in the unit square, in groups, and findable by place.
import type { Scatter } from "$lib/kinds";
import { extent, fit, type Range } from "../scales";

export const MOST_GROUPS = 16; // eight colours, filled and as rings
export const OTHERS = 255;

export interface Group {
  name: string;
  /** Place among the colours; OTHERS for what has none. */
  place: number;
  count: number;
}

export interface Points {
  /** Positions in the unit square, y upwards; NaN where a point has none. */
  u: Float32Array;
  v: Float32Array;
  /** Place of each point's group. */
  look: Uint8Array;
  groups: Group[];
  /** How many have a position. */
  count: number;
  /** Data limits of the unit square, and whether they are logarithmic. */
  x: { domain: Range; log: boolean };
  y: { domain: Range; log: boolean };
}

export function pointsOf(view: Scatter): Points {
  const x = fit(view.x, [view.x_values.data], { margin: 0.04 });
  const y = fit(view.y, [view.y_values.data], { margin: 0.04 });
  const u = unit(view.x_values.data, x);
  const v = unit(view.y_values.data, y);
  let count = 0;
  for (let i = 0; i < u.length; i++) {
    if (u[i]! + v[i]! === u[i]! + v[i]!) count++;
    else u[i] = v[i] = NaN;
  }
  return { u, v, x, y, count, ...grouped(view, u) };
}

function unit(values: ArrayLike<number>, { domain, log }: { domain: Range; log: boolean }): Float32Array {
  const [low, high] = log ? domain.map(Math.log10) as Range : domain;
  const scale = 1 / (high - low);
  const found = new Float32Array(values.length);
  for (let i = 0; i < found.length; i++) {
    const value = log ? Math.log10(values[i]!) : values[i]!;
    found[i] = Math.abs(value) < Infinity ? (value - low) * scale : NaN;
  }
  return found;
}

/** From the unit interval to data. */
export function dataAt(part: number, { domain, log }: { domain: Range; log: boolean }): number {
  if (!log) return domain[0] + part * (domain[1] - domain[0]);
  const [low, high] = domain.map(Math.log10) as Range;
  return 10 ** (low + part * (high - low));
}

function grouped(view: Scatter, u: Float32Array): { groups: Group[]; look: Uint8Array } {
  const look = new Uint8Array(u.length);
  const counts = new Map<string, number>();
  for (let i = 0; i < u.length; i++) {
    const name = view.groups[i];
    if (name && u[i] === u[i]) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  if (!counts.size) return { groups: [], look };
  const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const groups: Group[] = ranked.slice(0, MOST_GROUPS).map(([name, count], place) => ({ name, place, count }));
  const places = new Map(groups.map((group) => [group.name, group.place]));
  let others = 0;
  for (let i = 0; i < u.length; i++) {
    look[i] = places.get(view.groups[i] ?? "") ?? OTHERS;
    if (look[i] === OTHERS && u[i] === u[i]) others++;
  }
  if (others) groups.push({ name: "", place: OTHERS, count: others });
  return { groups, look };
}

/** Finds points by place: they lie in the cells of a grid over the unit square. */
export class Finder {
  private readonly side: number;
  private readonly starts: Uint32Array;
  private readonly order: Uint32Array;

  constructor(private readonly points: Points) {
    const { u, count } = points;
    this.side = Math.max(1, Math.min(512, Math.round(Math.sqrt(count / 2))));
    this.starts = new Uint32Array(this.side * this.side + 1);
    for (let i = 0; i < u.length; i++) if (u[i] === u[i]) this.starts[this.cell(i) + 1]!++;
    for (let at = 1; at < this.starts.length; at++) this.starts[at]! += this.starts[at - 1]!;
    const next = this.starts.slice();
    this.order = new Uint32Array(count);
    for (let i = 0; i < u.length; i++) if (u[i] === u[i]) this.order[next[this.cell(i)]!++] = i;
  }

  private step(part: number): number {
    return Math.min(this.side - 1, Math.max(0, Math.floor(part * this.side)));
  }

  private cell(i: number): number {
    return this.step(this.points.v[i]!) * this.side + this.step(this.points.u[i]!);
  }

  /** Points within a box, and those beside it in the same cells. */
  *near(u0: number, u1: number, v0: number, v1: number): Iterable<number> {
    for (let row = this.step(v0); row <= this.step(v1); row++) {
      const from = this.starts[row * this.side + this.step(u0)]!;
      const to = this.starts[row * this.side + this.step(u1) + 1]!;
      for (let at = from; at < to; at++) yield this.order[at]!;
    }
  }

  /** The point nearest to a place within `reach` (in u and in v); -1 if there is none. */
  nearest(u: number, v: number, reach: [number, number]): number {
    let [found, best] = [-1, 1];
    for (const i of this.near(u - reach[0], u + reach[0], v - reach[1], v + reach[1])) {
      const distance = ((this.points.u[i]! - u) / reach[0]) ** 2 + ((this.points.v[i]! - v) / reach[1]) ** 2;
      if (distance <= best) [found, best] = [i, distance];
    }
    return found;
  }
}

export type Corner = [number, number];

/** Positions of the points within a polygon in the unit square. */
export function inside(finder: Finder, { u, v }: Points, polygon: Corner[]): number[] {
  const us = extent([polygon.map(([at]) => at)]);
  const vs = extent([polygon.map(([, at]) => at)]);
  if (!us || !vs || polygon.length < 3) return [];
  return [...finder.near(us[0], us[1], vs[0], vs[1])].filter((i) => isInside(u[i]!, v[i]!, polygon)).sort((a, b) => a - b);
}

/** Whether a ray from the point crosses the polygon's outline an odd number of times. */
export function isInside(x: number, y: number, polygon: Corner[]): boolean {
  let odd = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [ax, ay] = polygon[i]!;
    const [bx, by] = polygon[j]!;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}
