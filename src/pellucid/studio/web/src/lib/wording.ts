// Words that tables and texts are written in, as pellucid/views/wording.py has them.
import type { Cell, TableColumn } from "./kinds";
import { formatNumber, MISSING } from "./spec";

export { axisLabel, quantity, shorten } from "./numbers";
export { formatNumber } from "./spec";

/** An entry of a table: numbers by `spec`, a dash for what is missing. */
export function formatted(value: Cell, spec = ""): string {
  if (value === null) return MISSING;
  return typeof value === "number" ? formatNumber(value, spec) : sentence(value);
}

function sentence(value: string | boolean): string {
  return typeof value === "boolean" ? (value ? "True" : "False") : value;
}

export function columnLabel(column: TableColumn): string {
  return column.unit ? `${column.name} (${column.unit})` : column.name;
}

/** Says whether a column holds numbers (and gaps) only. */
export function isNumeric(column: TableColumn): boolean {
  let known = 0;
  for (const value of column.values) {
    if (value === null) continue;
    if (typeof value !== "number") return false;
    known += 1;
  }
  return known > 0;
}

/** How the numbers of one column are written: all with equal decimals. */
export function specOf(column: TableColumn): string {
  if (column.format || !isNumeric(column)) return column.format;
  const isWhole = column.values.every((value) => typeof value !== "number" || !Number.isFinite(value) || Number.isInteger(value));
  return isWhole ? "d" : ".3g";
}

/** Each token without its tokenizer's marks (WordPiece `##`, byte-level `Ġ`, SentencePiece `▁`), and
 *  whether a space goes before it. */
export function readableTokens(tokens: readonly string[]): { word: string; apart: boolean }[] {
  for (const mark of ["Ġ", "▁"]) {
    if (tokens.some((token) => token.startsWith(mark))) {
      return tokens.map((token) => ({ word: token.replaceAll(mark, ""), apart: token.startsWith(mark) }));
    }
  }
  return tokens.map((token) => ({ word: token.replace(/^##/, ""), apart: !token.startsWith("##") }));
}
