// The pictures that a result holds of its samples.
import { fetchView } from "$lib/api";
import type { View } from "$lib/kinds";
import type { ResultDetail } from "$lib/schemas";

/** Pictures of samples that a result's grids hold, ready for `src`, by sample. */
export async function picturesOf(detail: ResultDetail, signal: AbortSignal): Promise<Map<string, string>> {
  const grids = detail.views.filter(({ kind }) => kind === "ImageGrid");
  const views = await Promise.all(grids.map(({ index }) => fetchView(`/results/${detail.id}/views/${index}`, { signal })));
  return new Map(views.flatMap(pairs));
}

function pairs(view: View): [string, string][] {
  return view.kind === "ImageGrid" ? view.pictures.filter(({ sample }) => sample).map(({ sample, pixels }) => [sample, pixels.url]) : [];
}
