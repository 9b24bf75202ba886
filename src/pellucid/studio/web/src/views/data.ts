// The numbers behind a view, as a file: CSV where they are a table, JSON where they are not.
import type { Column, TableColumn, View } from "$lib/kinds";

export interface DataFile {
  text: string;
  type: string;
  extension: "csv" | "json";
}

type Entry = string | number | boolean | null | undefined;
type Rows = Entry[][];

/** The data of a view. */
export function dataOf(view: View): DataFile {
  const rows = rowsOf(view);
  if (rows) return { text: csv(rows), type: "text/csv", extension: "csv" };
  return { text: JSON.stringify(view, plain, 1), type: "application/json", extension: "json" };
}

/** Rows as RFC 4180 has them. A text that a spreadsheet would run as a formula gets an apostrophe before it. */
export function csv(rows: Rows): string {
  return rows.map((row) => row.map(entry).join(",") + "\r\n").join("");
}

function entry(value: Entry): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  let text = String(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function rowsOf(view: View): Rows | null {
  switch (view.kind) {
    case "Lines":
      return [
        ["series", label(view.x), label(view.y), "low", "high"],
        ...view.series.flatMap((s) => each(s.x, (x, i) => [s.name, x, s.y.data[i], s.low?.data[i], s.high?.data[i]])),
      ];
    case "Bars":
      return [
        ["category", "series", label(view.value), "low", "high"],
        ...view.series.flatMap((s) => view.categories.map((name, i) => [name, s.name, s.values.data[i], s.low?.data[i], s.high?.data[i]])),
      ];
    case "Histogram": {
      const names = [...view.counts.keys()];
      const bins = Math.max(view.edges.data.length - 1, 0);
      const row = (i: number): Entry[] => [view.edges.data[i], view.edges.data[i + 1], ...names.map((name) => view.counts.get(name)!.data[i])];
      return [["from", "to", ...names], ...Array.from({ length: bins }, (_, i) => row(i))];
    }
    case "Matrix":
      return [
        [`${view.y.label} \\ ${view.x.label}`, ...view.columns],
        ...view.rows.map((name, i) => [name, ...view.values.data.slice(i * view.columns.length, (i + 1) * view.columns.length)]),
      ];
    case "Scatter":
      return [
        ["sample", label(view.x), label(view.y), "group"],
        ...each(view.x_values, (x, i) => [view.samples[i], x, view.y_values.data[i], view.groups[i] ?? ""]),
      ];
    case "Flow":
      return [
        ["from", "to", label(view.value)],
        ...each(view.values, (value, i) => [view.nodes[view.sources.data[i]!], view.nodes[view.targets.data[i]!], value]),
      ];
    case "Surface": {
      const columns = view.x_values.data.length;
      return [
        [label(view.x), label(view.y), label(view.value)],
        ...each(view.values, (value, i) => [view.x_values.data[i % columns], view.y_values.data[Math.floor(i / columns)], value]),
      ];
    }
    case "Tokens":
      return [["token", "value"], ...view.tokens.map((token, i) => [token, view.values.data[i]])];
    case "Table":
      return tabular(view.columns);
    default:
      return null;
  }
}

function tabular(columns: TableColumn[]): Rows {
  const length = Math.max(0, ...columns.map((column) => column.values.length));
  return [columns.map((column) => (column.unit ? `${column.name} (${column.unit})` : column.name)), ...Array.from({ length }, (_, i) => columns.map((column) => column.values[i]))];
}

function each(column: Column, row: (value: number, i: number) => Entry[]): Rows {
  return Array.from(column.data, row);
}

function label(axis: { label: string; unit: string }): string {
  return axis.unit ? `${axis.label} (${axis.unit})` : axis.label;
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  if (typeof value === "object" && value !== null && "url" in value && "shape" in value) return { shape: value.shape };
  return value;
}
