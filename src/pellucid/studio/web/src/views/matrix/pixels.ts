// A matrix as pixels: one per cell where cells are large, the strongest of several where they are not.

export interface Window {
  /** Cell at the left top, in columns and rows; it may lie in the middle of one. */
  x: number;
  y: number;
  /** Pixels of a cell. */
  scale: number;
  wide: number;
  high: number;
}

export interface Shades {
  values: Float64Array;
  rows: number;
  columns: number;
}

const FAINT = 0.6; // power that a shade is raised to where pixels are larger than cells

/** Shade of each pixel of a window, (high, wide): of all cells that fall into it the strongest, and stronger
 *  than alone, so that a rare mistake among a million cells stays visible. */
export function pooled({ values, rows, columns }: Shades, { x, y, scale, wide, high }: Window): Float64Array {
  const found = new Float64Array(wide * high);
  const [first, last] = [Math.max(0, Math.floor(y)), Math.min(rows, Math.ceil(y + high / scale))];
  const [left, right] = [Math.max(0, Math.floor(x)), Math.min(columns, Math.ceil(x + wide / scale))];
  for (let row = first; row < last; row += 1) {
    const down = Math.max(0, Math.min(high - 1, Math.floor((row - y) * scale))) * wide;
    for (let column = left; column < right; column += 1) {
      const shade = values[row * columns + column]!;
      if (!shade) continue;
      const at = down + Math.max(0, Math.min(wide - 1, Math.floor((column - x) * scale)));
      if (Math.abs(shade) > Math.abs(found[at]!)) found[at] = shade;
    }
  }
  return scale < 1 ? found.map((shade) => Math.sign(shade) * Math.abs(shade) ** FAINT) : found;
}

export type Rgb = [number, number, number];

/** Shades as opaque pixels, (…, 4): from `ground` to `minus` below and `plus` above zero. */
export function coloured(shades: Float64Array, ground: Rgb, minus: Rgb, plus: Rgb): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * shades.length);
  for (let at = 0; at < shades.length; at += 1) {
    const shade = shades[at]!;
    const strong = shade < 0 ? minus : plus;
    const part = Math.abs(shade);
    for (let channel = 0; channel < 3; channel += 1) {
      pixels[4 * at + channel] = ground[channel]! + (strong[channel]! - ground[channel]!) * part;
    }
    pixels[4 * at + 3] = 255;
  }
  return pixels;
}

/** A colour of the style sheet, `#rrggbb`, `#rgb` or `r g b`, as numbers. */
export function rgbOf(text: string): Rgb {
  const hex = /^#(?:([0-9a-f]{6})|([0-9a-f]{3}))$/i.exec(text.trim());
  const pairs = hex?.[1]?.match(/../g) ?? hex?.[2]?.split("").map((digit) => digit + digit);
  const numbers = pairs ? pairs.map((pair) => parseInt(pair, 16)) : text.trim().split(/\s+/).map(Number);
  const [red = 0, green = 0, blue = 0] = numbers;
  return [red, green, blue];
}
