// Heights over a grid: read between its points, and cut into contours.
import { ticks } from "d3-array";
import type { Surface } from "$lib/kinds";
import { extent, type Range } from "../scales";

export interface Heights {
  values: ArrayLike<number>;
  columns: number;
  rows: number;
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  range: Range;
  log: boolean;
}

/** The grid of a view; null where there is nothing to draw. */
export function heightsOf(view: Surface): Heights | null {
  const [rows = 0, columns = 0] = view.values.shape;
  const values = view.values.data;
  const positive = view.value.scale === "log" ? extent([values], true) : null;
  const range = positive ?? extent([values]);
  if (rows < 2 || columns < 2 || !range) return null;
  return { values, columns, rows, x: view.x_values.data, y: view.y_values.data, range, log: positive !== null };
}

/** How high a value lies, from 0 to 1; NaN for none. */
export function part({ range: [low, high], log }: Heights, value: number): number {
  if (low === high) return Number.isFinite(value) ? 0.5 : NaN;
  return log ? Math.log(Math.max(value, low) / low) / Math.log(high / low) : (value - low) / (high - low);
}

/** Between which two of the rising `places` a value lies, and how far along; null outside. */
export function cellOf(places: ArrayLike<number>, value: number): { at: number; along: number } | null {
  const last = places.length - 1;
  if (!(value >= places[0]! && value <= places[last]!)) return null;
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (places[middle]! <= value) low = middle;
    else high = middle;
  }
  return { at: low, along: (value - places[low]!) / (places[high]! - places[low]! || 1) };
}

/** The height at a place, bilinearly; NaN outside the grid or beside a gap. */
export function heightAt(heights: Heights, x: number, y: number): number {
  const [across, up] = [cellOf(heights.x, x), cellOf(heights.y, y)];
  if (!across || !up) return NaN;
  const at = up.at * heights.columns + across.at;
  const mix = (a: number, b: number, along: number) => (along === 0 ? a : along === 1 ? b : a + (b - a) * along);
  const { values, columns } = heights;
  return mix(mix(values[at]!, values[at + 1]!, across.along), mix(values[at + columns]!, values[at + columns + 1]!, across.along), up.along);
}

/** Heights of about `count` contours: round numbers, or even steps of a logarithm. */
export function levelsOf({ range: [low, high], log }: Heights, count = 12): number[] {
  if (low === high) return [];
  if (!log) return ticks(low, high, count).filter((level) => level > low && level < high);
  return Array.from({ length: count - 1 }, (_, at) => low * (high / low) ** ((at + 1) / count));
}

type Point = [number, number];

/** The lines of one height, as pieces within the cells of the grid (marching squares). */
export function contour({ values, columns, rows, x, y }: Heights, level: number): [Point, Point][] {
  const pieces: [Point, Point][] = [];
  for (let row = 0; row < rows - 1; row++) {
    for (let column = 0; column < columns - 1; column++) {
      const at = row * columns + column;
      const corners = [values[at]!, values[at + 1]!, values[at + columns + 1]!, values[at + columns]!];
      if (corners.some((value) => !Number.isFinite(value))) continue;
      const places: Point[] = [[x[column]!, y[row]!], [x[column + 1]!, y[row]!], [x[column + 1]!, y[row + 1]!], [x[column]!, y[row + 1]!]];
      const crossed = crossings(corners, places, level);
      // Of a saddle's four crossings, two pairs are joined, as the middle of the cell says.
      const above = corners.reduce((sum, value) => sum + value, 0) / 4 >= level;
      const turned = crossed.length === 4 && above === corners[0]! >= level;
      const order = turned ? [0, 1, 2, 3] : [3, 0, 1, 2];
      for (let i = 0; i + 1 < crossed.length; i += 2) pieces.push(crossed.length === 4 ? [crossed[order[i]!]!, crossed[order[i + 1]!]!] : [crossed[i]!, crossed[i + 1]!]);
    }
  }
  return pieces;
}

function crossings(corners: number[], places: Point[], level: number): Point[] {
  const found: Point[] = [];
  for (let i = 0; i < 4; i++) {
    const [a, b] = [corners[i]!, corners[(i + 1) % 4]!];
    if (a >= level === b >= level) continue;
    const along = (level - a) / (b - a);
    const [from, to] = [places[i]!, places[(i + 1) % 4]!];
    found.push([from[0] + (to[0] - from[0]) * along, from[1] + (to[1] - from[1]) * along]);
  }
  return found;
}
