// How strongly each cell of a matrix is coloured, as pellucid/views/colours.py has it, and what it says.
import type { Matrix } from "$lib/kinds";
import { formatNumber } from "$lib/wording";

/** Says whether rows and columns are the same classes, so that the diagonal is what is right. */
export function isConfusion(view: Matrix): boolean {
  const { rows, columns } = view;
  return !view.signed && rows.length > 1 && rows.length === columns.length && rows.every((name, at) => name === columns[at]);
}

const known = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? 0 : value);

/** The largest absolute value, or 1 where all are zero. */
export function matrixLimit(view: Matrix): number {
  let most = 0;
  for (const value of view.values.data) most = Math.max(most, Math.abs(known(value)));
  return most || 1;
}

export function rowTotals(view: Matrix): Float64Array {
  const totals = new Float64Array(view.rows.length);
  const wide = view.columns.length;
  view.values.data.forEach((value, at) => (totals[Math.floor(at / wide)]! += Math.max(0, known(value))));
  return totals;
}

/** Shade of each cell from -1 to 1: 0 is the ground, 1 full strength. A confusion matrix shows shares of
 *  its rows, negative off the diagonal; square roots keep rare cells visible beside full ones. */
export function matrixShades(view: Matrix): Float64Array {
  const { data } = view.values;
  const limit = matrixLimit(view);
  if (view.signed) return Float64Array.from(data, (value) => known(value) / limit);
  if (!isConfusion(view)) return Float64Array.from(data, (value) => Math.sqrt(Math.max(0, known(value)) / limit));
  const totals = rowTotals(view);
  const wide = view.columns.length;
  return Float64Array.from(data, (value, at) => {
    const row = Math.floor(at / wide);
    const share = totals[row]! > 0 ? Math.sqrt(Math.max(0, known(value)) / totals[row]!) : 0;
    return share && row !== at % wide ? -share : share;
  });
}

const MIDDLE = 0.585; // shades from which numbers have another colour
const HIGH = 0.81;

/** Classes of a cell: which way it is coloured, and what its number is written in. */
export function lookOf(shade: number): string {
  if (!shade) return "zero";
  const depth = Math.abs(shade) >= HIGH ? " high" : Math.abs(shade) >= MIDDLE ? " mid" : "";
  return (shade < 0 ? "minus" : "plus") + depth;
}

/** Dotted names without the parts that all of them begin with, or end with. */
export function toldApart(names: readonly string[]): string[] {
  let parts = names.map((name) => name.split("."));
  for (const end of [0, -1]) {
    while (parts.length > 1 && parts.every((each) => each.length > 1) && new Set(parts.map((each) => each.at(end))).size === 1) {
      parts = parts.map((each) => (end === 0 ? each.slice(1) : each.slice(0, -1)));
    }
  }
  return parts.map((each) => each.join("."));
}

export interface CellPlace {
  row: number;
  column: number;
}

export const keyOf = ({ row, column }: CellPlace): string => `${row},${column}`;

export function valueAt(view: Matrix, { row, column }: CellPlace): number {
  return view.values.data[row * view.columns.length + column] ?? NaN;
}

/** A cell's number; of a confusion matrix also its share of the row. */
export function valueWords(view: Matrix, cell: CellPlace, totals: Float64Array | null): string {
  const value = valueAt(view, cell);
  const words = formatNumber(value, view.format);
  const total = totals?.[cell.row] ?? 0;
  return total > 0 ? `${words} (${formatNumber(value / total, ".1%").replace("%", " %")})` : words;
}

export const cellName = (view: Matrix, { row, column }: CellPlace): string =>
  `${view.y.label} ${view.rows[row]} · ${view.x.label} ${view.columns[column]}`;

/** The cells that say most, strongest first: of a confusion matrix those that are wrong. */
export function largestCells(view: Matrix, most: number): CellPlace[] {
  const wide = view.columns.length;
  const skipsDiagonal = isConfusion(view);
  const sizeOf = (at: number) => (skipsDiagonal && Math.floor(at / wide) === at % wide ? 0 : Math.abs(known(view.values.data[at])));
  const best: number[] = [];
  for (let at = 0; at < view.values.data.length; at += 1) {
    const size = sizeOf(at);
    if (!size || (best.length === most && size <= sizeOf(best[most - 1]!))) continue;
    let place = best.length;
    while (place > 0 && sizeOf(best[place - 1]!) < size) place -= 1;
    best.splice(place, 0, at);
    best.length = Math.min(best.length, most);
  }
  return best.map((at) => ({ row: Math.floor(at / wide), column: at % wide }));
}

/** How many samples are behind a cell: their ids may be a part of them. */
export function countOf(view: Matrix, cell: CellPlace): number {
  const ids = view.members.get(keyOf(cell))?.length ?? 0;
  return isConfusion(view) ? Math.max(ids, Math.round(known(valueAt(view, cell)))) : ids;
}
