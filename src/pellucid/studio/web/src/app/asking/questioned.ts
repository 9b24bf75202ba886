// Asks once, without a brush: what a model answers for an input, and why.
import { api, fetchView } from "$lib/api";
import type { Input, ModelReference, Predictions, Why } from "$lib/schemas";
import type { Reasons } from "./questions.svelte";

export function predicted(model: ModelReference, input: Input, signal: AbortSignal): Promise<Predictions> {
  return api.post<Predictions>("/predict", { model, input: input.id }, { signal });
}

interface About {
  methods: readonly string[];
  target: number | null;
  against?: number | null;
}

export async function reasons(model: ModelReference, input: Input, { methods, target, against = null }: About, signal: AbortSignal): Promise<Reasons> {
  const why = await api.post<Why>("/why", { model, input: input.id, methods, target, against }, { signal });
  const views = await Promise.all(why.views.map(({ index }) => fetchView(`/why/${why.id}/views/${index}`, { signal })));
  return { why, views, stale: [] };
}
