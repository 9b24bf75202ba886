// Words that tables and texts are written in, as pellucid/views/wording.py has them.
import type { TableColumn } from "./kinds";
import { phrase } from "./phrases.svelte";

export { axisLabel, formatted, quantity, shorten } from "./numbers";
export { formatNumber } from "./spec";

export function columnLabel(column: TableColumn): string {
  const name = phrase(column.name);
  return column.unit ? `${name} (${phrase(column.unit)})` : name;
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
