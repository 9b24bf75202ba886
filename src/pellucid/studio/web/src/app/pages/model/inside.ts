// What is known of the inside of a model: which results are about it, and which of their views about a layer.
import type { Table } from "$lib/kinds";
import { formatted } from "$lib/numbers";
import type { ResultDetail, ResultSummary, ViewSummary } from "$lib/schemas";

const INSIDE = new Set(["structure", "weights", "activations", "gradients", "features", "feature_image", "sensitivity"]);
const MOST = 16;

/** Results about the inside of a model, newest first; those of a run's model belong to the run. */
export function insideResults(results: readonly ResultSummary[], reference: string): ResultSummary[] {
  const run = reference.startsWith("run:") ? reference.slice(4) : null;
  const about = (result: ResultSummary) => (run ? result.run === run : !result.run && result.model === reference);
  return results
    .filter((result) => INSIDE.has(result.kind) && !result.missing && about(result))
    .sort((a, b) => b.created.localeCompare(a.created))
    .slice(0, MOST);
}

export interface Shown {
  result: ResultDetail;
  view: ViewSummary;
}

/** The newest drawing of the structure. */
export function structureOf(details: readonly ResultDetail[]): Shown | undefined {
  for (const result of details) {
    const view = result.kind === "structure" ? result.views.find((one) => one.kind === "Graph") : undefined;
    if (view) return { result, view };
  }
  return undefined;
}

const MOST_VIEWS = 12;

/** Views about one layer, of the newest result of each kind that has any; feature images all. */
export function viewsOfLayer(details: readonly ResultDetail[], layer: string): Shown[] {
  const told = new Set<string>();
  const found = details.flatMap((result) => {
    const views = result.views.filter((view) => nearness(view, layer) > 0);
    if (!views.length || (told.has(result.kind) && result.kind !== "feature_image")) return [];
    told.add(result.kind);
    return views.map((view) => ({ result, view }));
  });
  return found.sort((a, b) => nearness(b.view, layer) - nearness(a.view, layer)).slice(0, MOST_VIEWS);
}

// 2: about the layer itself, or a tensor or unit of it; 1: about a part inside it; 0: about something else.
function nearness(view: ViewSummary, layer: string): number {
  const names = [view.layer ?? "", ...view.title.split(/[\s,;()]+/)];
  return Math.max(...names.map((name) => (name === layer || isOwn(name, layer) ? 2 : name.startsWith(`${layer}.`) ? 1 : 0)));
}

/** Whether a name is that of a tensor or a unit of the layer: "conv.weight", "conv:12". */
function isOwn(name: string, layer: string): boolean {
  return name.startsWith(`${layer}:`) || (name.startsWith(`${layer}.`) && /^(weight|bias|running_\w+|num_batches_tracked)$/.test(name.slice(layer.length + 1)));
}

/** Tables that may hold figures of a layer: those of the newest result of each kind. */
export function tablesOf(details: readonly ResultDetail[]): Shown[] {
  const newest = new Map<string, ResultDetail>();
  for (const result of details) if (!newest.has(result.kind)) newest.set(result.kind, result);
  return [...newest.values()].flatMap((result) => result.views.filter((view) => view.kind === "Table").map((view) => ({ result, view })));
}

/** The rows of a table that are about a layer, each as a column of figures; null if there are none. */
export function figuresOf(table: Table, layer: string): Table | null {
  const [named] = table.columns.filter((column) => column.values.some((value) => typeof value === "string" && (value === layer || isOwn(value, layer))));
  if (!named) return null;
  const rows = named.values.flatMap((value, row) => (typeof value === "string" && (value === layer || isOwn(value, layer)) ? [row] : [])).slice(0, 3);
  const told = table.columns.filter((column) => column !== named && column.name !== "no." && rows.some((row) => isKnown(column.values[row])));
  const columns = rows.map((row) => ({ name: String(named.values[row]), format: "", unit: "", values: told.map((column) => formatted(column.values[row], column.format)) }));
  const names = told.map((column) => (column.unit ? `${column.name} (${column.unit})` : column.name));
  return { ...table, caption: "", columns: [{ name: "", values: names, format: "", unit: "" }, ...columns] };
}

function isKnown(value: unknown): boolean {
  return value !== null && value !== undefined && value !== "" && !Number.isNaN(value);
}

/** Numbers of units out of what was typed, "0, 3, 7-9"; null where it cannot be read. */
export function readUnits(typed: string, most = 16): number[] | null {
  const units = new Set<number>();
  for (const part of typed.split(/[\s,，、]+/).filter(Boolean)) {
    const range = /^(\d+)(?:[-–](\d+))?$/.exec(part);
    if (!range) return null;
    const [from, to] = [Number(range[1]), Number(range[2] ?? range[1])];
    if (to < from || to - from >= most) return null;
    for (let unit = from; unit <= to; unit++) units.add(unit);
  }
  return units.size && units.size <= most ? [...units] : null;
}
