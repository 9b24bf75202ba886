// What the page reads of an evaluation: every sample.
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
