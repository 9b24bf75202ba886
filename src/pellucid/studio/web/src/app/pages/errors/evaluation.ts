// What the page reads of an evaluation: every sample, and the pictures that the result holds.
import { fetchView } from "$lib/api";
import type { View } from "$lib/kinds";
import type { ResultDetail } from "$lib/schemas";
import { numbers, places, texts, variables } from "../../asking/variables";
import { rowsOf, type Row } from "./rows";

export interface Evaluated {
  rows: Row[];
  labels: string[];
}

export async function evaluated(result: string, signal: AbortSignal): Promise<Evaluated> {
  const read = await variables(result, ["label", "sample_id", "target", "predicted", "confidence"], signal);
  const labels = texts(read.label);
  const arrays = { labels, samples: texts(read.sample_id), target: places(read.target), predicted: places(read.predicted), confidence: numbers(read.confidence) };
  return { rows: rowsOf(arrays), labels };
}

/** Pictures of samples that a result's grids hold, ready for `src`, by sample. */
export async function picturesOf(detail: ResultDetail, signal: AbortSignal): Promise<Map<string, string>> {
  const grids = detail.views.filter(({ kind }) => kind === "ImageGrid");
  const views = await Promise.all(grids.map(({ index }) => fetchView(`/results/${detail.id}/views/${index}`, { signal })));
  return new Map(views.flatMap(pairs));
}

function pairs(view: View): [string, string][] {
  return view.kind === "ImageGrid" ? view.pictures.filter(({ sample }) => sample).map(({ sample, pixels }) => [sample, pixels.url]) : [];
}
