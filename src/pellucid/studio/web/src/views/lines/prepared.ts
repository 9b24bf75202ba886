// Series ready to be drawn: in order, smoothed, thinned to what the width can show.
import type { Lines, Series } from "$lib/kinds";
import { firstAt, rising, smooth, thin, type Thinned } from "../curves";
import { extent, type Range } from "../scales";

export interface Ordered {
  name: string;
  style: Series["style"];
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  low: ArrayLike<number> | null;
  high: ArrayLike<number> | null;
  /** Place among the colours; -1 for a reference. */
  place: number;
  /** Whether there is anything to draw. */
  known: boolean;
}

export interface Drawn extends Ordered {
  main: Thinned;
  raw: Thinned | null;
  band: { low: Thinned; high: Thinned } | null;
}

export const SMOOTHED_FROM = 20;

export function ordered(view: Lines): Ordered[] {
  let place = 0;
  return view.series.map((series) => {
    const { x, y, low, high } = rising({ x: series.x.data, y: series.y.data, low: series.low?.data ?? null, high: series.high?.data ?? null });
    const known = extent([y]) !== null && extent([x]) !== null;
    return { name: series.name, style: series.style, x, y, low: low ?? null, high: high ?? null, known, place: series.style === "reference" ? -1 : place++ };
  });
}

export function canBeSmoothed(series: Ordered): boolean {
  return (series.style === "line" || series.style === "step") && series.x.length > SMOOTHED_FROM;
}

/** Each series smoothed over the same stretch of x: `weight` holds for the one with most points, and
 *  a series whose points lie further apart forgets more from point to point. */
export function smoothed(all: Ordered[], weight: number): Map<Ordered, ArrayLike<number>> {
  const least = Math.min(...all.filter(canBeSmoothed).map(spacing));
  return new Map(all.map((one) => {
    const own = canBeSmoothed(one) ? weight ** (spacing(one) / least) : 0;
    return [one, own > 0.01 ? smooth(one.y, own) : one.y];
  }));
}

function spacing({ x }: Ordered): number {
  return (x[x.length - 1]! - x[0]!) / (x.length - 1) || 1;
}

/** What lies between the limits, in at most two points for each pixel. */
export function drawn(series: Ordered, mean: ArrayLike<number>, [from, to]: Range, pixels: number, log: boolean): Drawn {
  const cut = (y: ArrayLike<number>) => {
    const thinned = thin({ x: series.x, y }, from, to, pixels);
    return log ? { x: thinned.x, y: thinned.y.map((value) => (value !== null && value > 0 ? value : null)) } : thinned;
  };
  const { low, high } = series;
  return { ...series, main: cut(mean), raw: mean === series.y ? null : cut(series.y), band: low && high && mean === series.y ? { low: cut(low), high: cut(high) } : null };
}

/** All values that are seen, for the y axis: also where a line enters and leaves. */
export function* seen(series: Drawn, [from, to]: Range): Iterable<number[]> {
  for (const part of [series.main, series.raw, series.band?.low, series.band?.high]) {
    if (!part) continue;
    const inside = part.y.filter((value, at): value is number => value !== null && part.x[at]! >= from && part.x[at]! <= to);
    yield series.style === "points" ? inside : [...inside, ...[from, to].map((x) => between(part, x))];
  }
}

/** The line's value at x; NaN where there is none. */
function between({ x, y }: Thinned, at: number): number {
  const next = firstAt(x, at);
  const [low, high] = [y[next - 1], y[next]];
  if (low == null || high == null) return NaN;
  return low + ((high - low) * (at - x[next - 1]!)) / (x[next]! - x[next - 1]! || 1);
}
