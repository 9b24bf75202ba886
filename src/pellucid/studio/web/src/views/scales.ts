// From data to pixels, and round numbers along the way.
import { format } from "d3-format";
import { scaleLinear, scaleLog } from "d3-scale";
import { isShare } from "$lib/numbers";
import type { Axis } from "$lib/kinds";

export type Range = [number, number];

export interface Tick {
  at: number;
  value: number;
  label: string;
}

export interface Scale {
  (value: number): number;
  invert(pixel: number): number;
  domain: Range;
  range: Range;
  log: boolean;
  ticks: Tick[];
}

type Values = ArrayLike<number>;

/** Smallest and largest finite value; of the positive ones where the axis is logarithmic. */
export function extent(columns: Iterable<Values>, positive = false): Range | null {
  let low = Infinity;
  let high = -Infinity;
  for (const values of columns) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!(Math.abs(value) < Infinity) || (positive && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : null;
}

export interface Fitting {
  /** Zero belongs to the axis, as under bars. */
  zero?: boolean;
  /** Room at both ends, as a part of the whole. */
  margin?: number;
}

/** Data limits of an axis: its own, else those of its values. `log` says whether it can be logarithmic. */
export function fit(axis: Axis, columns: Iterable<Values>, { zero = false, margin = 0.04 }: Fitting = {}): { domain: Range; log: boolean } {
  const all = [...columns];
  const positive = axis.scale === "log" ? extent(all, true) : null;
  const log = positive !== null;
  const limits = axis.limits;
  if (limits && limits[0] < limits[1] && Number.isFinite(limits[1] - limits[0]) && (!log || limits[0] > 0)) {
    return { domain: [limits[0], limits[1]], log };
  }
  const found = positive ?? extent(all) ?? [0, 1];
  if (log) {
    const room = Math.max((found[1] / found[0]) ** margin, 1.02);
    return { domain: [found[0] / room, found[1] * room], log };
  }
  let [low, high] = zero ? [Math.min(0, found[0]), Math.max(0, found[1])] : found;
  if (low === high) [low, high] = [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
  const room = (high - low) * margin;
  return { domain: [zero && low === 0 ? 0 : low - room, zero && high === 0 ? 0 : high + room], log };
}

export interface Options {
  log?: boolean;
  /** Ticks at whole numbers only, as for epochs. */
  whole?: boolean;
  /** About how many pixels lie between ticks. */
  every?: number;
}

export function scaleOf(axis: Axis, domain: Range, range: Range, { log = false, whole = false, every = 70 }: Options = {}): Scale {
  const inner = log ? scaleLog(domain, range) : scaleLinear(domain, range);
  const count = Math.max(2, Math.floor(Math.abs(range[1] - range[0]) / every));
  const values = log ? logTicks(domain, count) : inner.ticks(count).filter((value) => !whole || Number.isInteger(value));
  const label = log ? power : labels(axis, values);
  const scale = ((value: number) => inner(value)) as Scale;
  return Object.assign(scale, {
    invert: (pixel: number) => inner.invert(pixel),
    domain,
    range,
    log,
    ticks: values.map((value) => ({ at: inner(value), value, label: label(value) })),
  });
}

/** Powers of ten; where they are few, twice and five times them too. */
function logTicks([low, high]: Range, count: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const decades = Math.log10(high) - Math.log10(low);
  const parts = decades < 1 ? [1, 2, 3, 4, 5, 6, 8] : decades < 2.5 ? [1, 2, 5] : [1];
  const step = Math.max(1, Math.ceil(decades / Math.max(count, 1)));
  const ticks: number[] = [];
  for (let exponent = first; exponent <= last; exponent++) {
    if (parts.length === 1 && (exponent - first) % step) continue;
    for (const part of parts) ticks.push(Number(`${part}e${exponent}`));
  }
  return ticks.filter((value) => value >= low && value <= high);
}

const SUPERSCRIPTS: Record<string, string> = { "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸", "9": "⁹" };

export function power(value: number): string {
  const exponent = Math.floor(Math.log10(value) + 1e-9);
  if (exponent >= -3 && exponent <= 4) return format(exponent < 0 ? `.${-exponent}f` : ",~r")(value);
  const part = Number((value / 10 ** exponent).toPrecision(2));
  return `${part === 1 ? "" : `${part} × `}10${String(exponent).replace(/./g, (sign) => SUPERSCRIPTS[sign]!)}`;
}

/** How the ticks of a linear axis are written: all alike, large numbers short. */
function labels(axis: Axis, ticks: number[]): (value: number) => string {
  const largest = Math.max(...ticks.map(Math.abs), 0);
  const step = ticks.length > 1 ? Math.abs(ticks[1]! - ticks[0]!) : largest || 1;
  if (isShare(axis)) return (value) => `${format(step < 0.01 ? ".1f" : ".0f")(100 * value)} %`;
  if (largest >= 1e5) return format(step >= 1e3 || largest < 1e6 ? "~s" : ".4~s");
  if (largest > 0 && largest < 1e-3) return (value) => (value === 0 ? "0" : `${value < 0 ? "−" : ""}${power(Math.abs(value))}`);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return format(`,.${Math.min(digits, 8)}f`);
}

/** Whether all finite values are whole numbers. */
export function areWhole(columns: Iterable<Values>): boolean {
  for (const values of columns) for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i]!) && !Number.isInteger(values[i]!)) return false;
  return true;
}

/** Pixels that tick labels need, for the margin beside an axis. */
export function widthOf(ticks: Tick[]): number {
  return Math.ceil(Math.max(0, ...ticks.map((tick) => tick.label.length)) * 6.9);
}
