// What the page reads of a comparison: every sample with both answers, and which views hold stored explanations.
import type { Nested } from "../../asking/variables";
import { numbers, places, rows, texts, variables } from "../../asking/variables";
import type { ResultDetail } from "$lib/schemas";
import { pairsOf, type Pair } from "./pairs";

export async function compared(result: string, signal: AbortSignal): Promise<Pair[]> {
  const names = ["label", "sample_id", "target", "compared_class", "predicted", "confidence", "probability", "outcome"] as const;
  const read = await variables(result, names, signal);
  return pairsOf({
    labels: texts(read.label),
    samples: texts(read.sample_id),
    target: places(read.target),
    compared: places(read.compared_class),
    predicted: both(read.predicted, places),
    confidence: both(read.confidence, numbers),
    probability: both(read.probability, numbers),
    outcome: places(read.outcome),
  });
}

function both<T>(values: Nested, read: (values: Nested) => T): T[] {
  return rows(values).map(read);
}

export interface Stored {
  a: number[];
  b: number[];
}

/** Places of the views that explain each sample for A and for B; they follow one another in turns. */
export function storedViews(detail: ResultDetail): Map<string, Stored> {
  const found = new Map<string, Stored>();
  for (const view of detail.views) {
    const sample = view.samples?.[0];
    if (!sample || (view.kind !== "Overlay" && view.kind !== "Tokens")) continue;
    const entry = found.get(sample) ?? { a: [], b: [] };
    (entry.a.length > entry.b.length ? entry.b : entry.a).push(view.index);
    found.set(sample, entry);
  }
  return found;
}
