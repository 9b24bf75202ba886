// Where bars lie: in rows or columns, those of one category side by side.
import type { Bars, BarSeries } from "$lib/kinds";
import type { Scale } from "./scales";

export interface Bar {
  category: number;
  series: number;
  value: number;
  x: number;
  y: number;
  width: number;
  height: number;
  interval: { low: number; high: number } | null;
  whisker: string;
  label: { x: number; y: number; anchor: "start" | "middle" | "end" };
}

type Placed = BarSeries & { place: number };
const FILL = 0.76; // of the room of a category
const THICKEST = 34;

export function barsOf(view: Bars, series: Placed[], count: number, values: Scale, places: Scale, step: number): Bar[] {
  const thick = Math.min((step * FILL) / Math.max(series.length, 1), THICKEST);
  return series.flatMap((one, at) => {
    const offset = (at - (series.length - 1) / 2) * thick;
    return Array.from({ length: count }, (_, category) => bar(view.horizontal, one, category, places(category + 0.5) + offset, thick, values));
  });
}

function bar(lying: boolean, series: Placed, category: number, middle: number, thick: number, values: Scale): Bar {
  const value = series.values.data[category] ?? NaN;
  const known = Number.isFinite(value) ? value : 0;
  const interval = intervalOf(series, category);
  const [zero, end] = [startOf(values), clamped(values, known)];
  const size = Math.max(thick - 1.5, 1);
  const [from, length] = [Math.min(zero, end), Math.abs(end - zero)];
  const far = interval && known >= 0 ? clamped(values, Math.max(interval.high, known)) : known >= 0 ? end : zero;
  const box = lying ? { x: from, y: middle - size / 2, width: length, height: size } : { x: middle - size / 2, y: from, width: size, height: length };
  return {
    category, series: series.place, value, interval, ...box,
    whisker: interval ? whisker(lying, clamped(values, interval.low), clamped(values, interval.high), middle, Math.min(size / 3, 4)) : "",
    label: lying ? { x: far + 6, y: middle + 4, anchor: "start" } : { x: middle, y: far - 6, anchor: "middle" },
  };
}

/** Where bars begin: at zero, or at the edge that is nearest to it. */
function startOf(values: Scale): number {
  return values.log ? values.range[0] : clamped(values, 0);
}

function clamped(values: Scale, value: number): number {
  const [low, high] = values.domain;
  return values(Math.min(Math.max(value, low), high));
}

function intervalOf(series: BarSeries, category: number): { low: number; high: number } | null {
  const [low, high] = [series.low?.data[category], series.high?.data[category]];
  return Number.isFinite(low) && Number.isFinite(high) ? { low: low!, high: high! } : null;
}

function whisker(lying: boolean, low: number, high: number, middle: number, half: number): string {
  return lying
    ? `M${low} ${middle}H${high}M${low} ${middle - half}v${2 * half}M${high} ${middle - half}v${2 * half}`
    : `M${middle} ${low}V${high}M${middle - half} ${low}h${2 * half}M${middle - half} ${high}h${2 * half}`;
}
