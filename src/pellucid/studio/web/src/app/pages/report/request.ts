// From what the reader put together to what the server is asked for.
import type { ReportRequest, ResultSummary, RunSummary } from "$lib/schemas";
import { kindWord } from "../../words";
import type { Basket } from "../../parts/basket.svelte";

type Wanted = Pick<Basket, "title" | "note" | "format"> & { items: Basket["items"] | readonly Basket["items"][number][] };

export function requestOf({ title, note, format, items }: Wanted, fallback: string): ReportRequest {
  return {
    title: title.trim() || fallback,
    note: note.trim(),
    format,
    items: items.map((item) => ({ [item.kind]: item.id, views: item.views, comment: item.comment.trim() })),
  };
}

/** What a result is called among others: its kind, its model and its data. */
export function titleOfResult(result: ResultSummary, runs: readonly RunSummary[]): string {
  const model = runs.find(({ id }) => id === result.run)?.name ?? result.model;
  return [kindWord(result.kind), model].filter(Boolean).join(" · ");
}
