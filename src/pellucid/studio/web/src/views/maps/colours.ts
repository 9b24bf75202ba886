// Colours of heat maps, as pellucid/views/colours.py has them: a map alone, the map over its picture
// and the colour bar agree, since all take their colours from one table.
import type { Column, Heatmap } from "$lib/kinds";
import tables from "./tables.json";

export const NUM_COLOURS = 256;
export const SIGNED_MAPS = ["RdBu_r", "PuOr_r", "BrBG_r"] as const;
export const UNSIGNED_MAPS = ["inferno", "viridis", "cividis"] as const;
export type SignedMap = (typeof SIGNED_MAPS)[number];
export type UnsignedMap = (typeof UNSIGNED_MAPS)[number];
export type ColourMap = SignedMap | UnsignedMap;

const WRITTEN: Record<ColourMap, string> = { ...tables.signed, ...tables.unsigned };
const read = new Map<ColourMap, Uint8Array>();

/** Red, green, blue, opacity of 256 colours from low to high: (256 · 4,). */
export function colourTable(name: ColourMap): Uint8Array {
  const found = read.get(name) ?? Uint8Array.from(WRITTEN[name].match(/../g) ?? [], (pair) => parseInt(pair, 16));
  read.set(name, found);
  return found;
}

/** The ground on which a map is drawn alone. */
export function base(name: ColourMap): [number, number, number] {
  if (name in tables.signed) return [250, 250, 250];
  const [red = 0, green = 0, blue = 0] = colourTable(name);
  return [red, green, blue];
}

/** The colour bar as a CSS gradient, on the map's own ground. */
export function rampOf(name: ColourMap, steps = 32): string {
  const stops = Array.from({ length: steps + 1 }, (_, step) => `rgb(${shown(name, Math.round((step / steps) * (NUM_COLOURS - 1))).join(" ")})`);
  return `linear-gradient(90deg, ${stops.join(", ")})`;
}

function shown(name: ColourMap, level: number): number[] {
  const table = colourTable(name);
  const ground = base(name);
  const opacity = table[4 * level + 3]! / 255;
  return ground.map((under, channel) => Math.round(table[4 * level + channel]! * opacity + under * (1 - opacity)));
}

export function limitOf(heatmap: Pick<Heatmap, "limit">): number {
  return Number.isFinite(heatmap.limit) && heatmap.limit > 0 ? heatmap.limit : 1;
}

/** Position of a value in the colour table, 0 to 255. NaN counts as zero. */
export function levelOf(value: number, limit: number, signed: boolean): number {
  const part = Number.isNaN(value) ? 0 : Math.max(-1, Math.min(1, value / limit));
  return Math.round(Math.max(0, signed ? (part + 1) / 2 : part) * (NUM_COLOURS - 1));
}

/** Paints a map's values as (y, x, 4) pixels; what is weaker than `threshold` · limit is left out. */
export function paint(values: ArrayLike<number>, heatmap: Pick<Heatmap, "limit" | "signed">, name: ColourMap, threshold = 0): Uint8ClampedArray<ArrayBuffer> {
  const table = colourTable(name);
  const limit = limitOf(heatmap);
  const pixels = new Uint8ClampedArray(4 * values.length);
  for (let place = 0; place < values.length; place += 1) {
    const value = values[place]!;
    if (!(Math.abs(value) >= threshold * limit)) continue;
    const at = 4 * levelOf(value, limit, heatmap.signed);
    pixels[4 * place] = table[at]!;
    pixels[4 * place + 1] = table[at + 1]!;
    pixels[4 * place + 2] = table[at + 2]!;
    pixels[4 * place + 3] = table[at + 3]!;
  }
  return pixels;
}

/** Resamples (y, x) values bilinearly; smaller results average what they cover. */
export function resize(values: Column, height: number, width: number): Float32Array {
  const [rows = 0, columns = 0] = values.shape;
  if (!rows || !columns) return new Float32Array(height * width);
  const across = taps(columns, width);
  const narrow = new Float32Array(rows * width);
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const { first, weights } = across[x]!;
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap += 1) sum += finite(values.data[y * columns + first + tap]!) * weights[tap]!;
      narrow[y * width + x] = sum;
    }
  }
  const down = taps(rows, height);
  const fitted = new Float32Array(height * width);
  for (let y = 0; y < height; y += 1) {
    const { first, weights } = down[y]!;
    for (let tap = 0; tap < weights.length; tap += 1) {
      const weight = weights[tap]!;
      const row = (first + tap) * width;
      for (let x = 0; x < width; x += 1) fitted[y * width + x]! += narrow[row + x]! * weight;
    }
  }
  return fitted;
}

const finite = (value: number) => (Number.isNaN(value) ? 0 : value);

// For each of `size` places the entries it draws on, with weights that fall off as a triangle.
function taps(from: number, size: number): { first: number; weights: number[] }[] {
  const step = from / size;
  const reach = Math.max(1, step);
  return Array.from({ length: size }, (_, place) => {
    const middle = (place + 0.5) * step;
    const first = Math.max(0, Math.floor(middle - reach + 0.5));
    const last = Math.min(from, Math.floor(middle + reach + 0.5));
    const weights = Array.from({ length: last - first }, (_, tap) => Math.max(0, 1 - Math.abs((first + tap + 0.5 - middle) / reach)));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: weights.map((weight) => weight / total) };
  });
}
