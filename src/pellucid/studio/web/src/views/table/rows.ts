// The rows of a table: sorted, searched, and with parts of a whole.
import type { Cell, Table, TableColumn } from "$lib/kinds";
import { formatted, isNumeric, specOf } from "$lib/wording";

export interface Order {
  column: number;
  down: boolean;
}

export const lengthOf = (view: Table): number => Math.max(0, ...view.columns.map((column) => column.values.length));

/** The entries of each column as they are shown. */
export function entriesOf(column: TableColumn): string[] {
  const spec = specOf(column);
  return column.values.map((value) => formatted(value, spec));
}

const isMissing = (value: Cell | undefined) => value === null || value === undefined || (typeof value === "number" && Number.isNaN(value));

/** Numbers of the rows whose words hold all of `search`, in order; what is missing comes last. */
export function rowsOf(view: Table, entries: readonly string[][], search: string, order: Order | null, language?: string): number[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const rows: number[] = [];
  for (let row = 0, count = lengthOf(view); row < count; row += 1) {
    if (!words.length || holds(entries, row, words)) rows.push(row);
  }
  const column = order ? view.columns[order.column] : undefined;
  if (!order || !column) return rows;
  const collator = new Intl.Collator(language, { numeric: true });
  const key = column.values;
  const sign = order.down ? -1 : 1;
  return rows.sort((one, other) => {
    const [a, b] = [key[one], key[other]];
    if (isMissing(a) || isMissing(b)) return Number(isMissing(a)) - Number(isMissing(b)) || one - other;
    const found = typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b));
    return sign * found || one - other;
  });
}

function holds(entries: readonly string[][], row: number, words: readonly string[]): boolean {
  const said = entries.map((column) => column[row] ?? "").join("\n").toLowerCase();
  return words.every((word) => said.includes(word));
}

/** Parts of a whole (percentages from 0 to 1), for the bars behind them; null for others. */
export function sharesOf(column: TableColumn): (number | null)[] | null {
  const whole = column.unit === "%" ? 100 : 1;
  if (!isNumeric(column) || (column.unit !== "%" && !column.format.endsWith("%"))) return null;
  return column.values.map((value) => {
    const part = typeof value === "number" ? value / whole : NaN;
    return part >= 0 && part <= 1 ? part : null;
  });
}
