// A matrix as a drawing that stands alone: for papers, on white.
import type { Matrix } from "$lib/kinds";
import { axisLabel, formatNumber, shorten } from "$lib/wording";
import { escaped, type Sized } from "../saving";
import { isConfusion, matrixShades, rowTotals, toldApart, valueAt } from "./shades";

const FONT = 'font-family="system-ui, Segoe UI, Helvetica Neue, Arial, sans-serif"';
const [INK, SOFT] = ["#18212c", "#55606e"];
const COLOURS = { right: "#0a5c96", wrong: "#9a3f00", for: "#b82131", against: "#1a5898" };
const LETTER = 6.2; // pixels of a letter of a name
const MOST_NUMBERS = 24;
const MOST_NAMES = 80;

export function matrixSvg(view: Matrix, asShares: boolean): Sized {
  const [rows, columns] = [toldApart(view.rows).map((name) => shorten(name, 22)), toldApart(view.columns).map((name) => shorten(name, 22))];
  const larger = Math.max(rows.length, columns.length);
  const size = larger <= MOST_NUMBERS ? 32 : Math.max(2, Math.min(18, Math.floor(900 / larger)));
  const areNamed = larger <= MOST_NAMES;
  const longest = (names: readonly string[]) => names.reduce((most, name) => Math.max(most, name.length), 0) * LETTER;
  const [left, top] = areNamed ? [longest(rows) + 34, longest(columns) + 36] : [26, 26];
  const parts = [...cells(view, asShares, left, top, size), ...(areNamed ? names(rows, columns, left, top, size) : [])];
  const [width, height] = [left + columns.length * size, top + rows.length * size];
  parts.push(`<text x="${left}" y="12" font-size="12" fill="${INK}">${escaped(axisLabel(view.x))} →</text>`);
  parts.push(`<text transform="translate(12 ${top + rows.length * size}) rotate(-90)" font-size="12" fill="${INK}">← ${escaped(axisLabel(view.y))}</text>`);
  return { markup: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${FONT}>${parts.join("")}</svg>`, width, height };
}

function* cells(view: Matrix, asShares: boolean, left: number, top: number, size: number): Generator<string> {
  const shades = matrixShades(view);
  const totals = isConfusion(view) ? rowTotals(view) : null;
  const [minus, plus] = view.signed ? [COLOURS.against, COLOURS.for] : [COLOURS.wrong, COLOURS.right];
  const areNumbered = size >= 28;
  const gap = size > 6 ? 1 : 0;
  for (let at = 0; at < shades.length; at += 1) {
    const [row, column] = [Math.floor(at / view.columns.length), at % view.columns.length];
    const [x, y, shade] = [left + column * size, top + row * size, shades[at]!];
    if (shade) yield `<rect x="${x}" y="${y}" width="${size - gap}" height="${size - gap}" fill="${shade < 0 ? minus : plus}" fill-opacity="${Math.abs(shade).toFixed(3)}"/>`;
    if (!areNumbered) continue;
    const value = valueAt(view, { row, column });
    const total = totals?.[row] ?? 0;
    const words = asShares && totals ? (total ? formatNumber((100 * value) / total, ".0f") : "–") : formatNumber(value, view.format);
    const colour = Math.abs(shade) > 0.62 ? "#fff" : value ? INK : SOFT;
    yield `<text x="${x + size / 2}" y="${y + size / 2}" dy="0.35em" text-anchor="middle" font-size="${Math.min(11, (size * 1.55) / Math.max(words.length, 2))}" fill="${colour}">${escaped(words)}</text>`;
  }
}

function names(rows: readonly string[], columns: readonly string[], left: number, top: number, size: number): string[] {
  const font = Math.min(11, Math.max(7, size * 0.8));
  return [
    ...rows.map((name, at) => `<text x="${left - 6}" y="${top + (at + 0.5) * size}" dy="0.35em" text-anchor="end" font-size="${font}" fill="${SOFT}">${escaped(name)}</text>`),
    ...columns.map((name, at) => `<text transform="translate(${left + (at + 0.5) * size} ${top - 6}) rotate(-90)" dy="0.35em" font-size="${font}" fill="${SOFT}">${escaped(name)}</text>`),
  ];
}
