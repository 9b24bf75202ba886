// What is known of the inside of a model: which results are about it, and which of their views about a layer.
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

/** Views about one layer, of the newest result of each kind that has any; feature images all. */
export function viewsOfLayer(details: readonly ResultDetail[], layer: string): Shown[] {
  const told = new Set<string>();
  return details.flatMap((result) => {
    const views = result.views.filter((view) => view.layer === layer);
    if (!views.length || (told.has(result.kind) && result.kind !== "feature_image")) return [];
    told.add(result.kind);
    return views.map((view) => ({ result, view }));
  });
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
