// Which runs and results the workspace's lists show, and in which order.
import { matches } from "$lib/search";
import type { ResultSummary, RunSummary } from "$lib/schemas";

export interface Wanted {
  typed: string;
  /** A run's status or a result's kind; "" for all. */
  kind: string;
  tag: string;
  sort: string;
  descending: boolean;
}

type Value = string | number | null | undefined;
export type RunKey = "name" | "created" | "status" | "model" | "data" | "strategy" | "accuracy" | "loss" | "seconds";
export type ResultKey = "title" | "created" | "kind" | "model" | "data";

const RUN_VALUES: Record<RunKey, (run: RunSummary) => Value> = {
  name: (run) => run.name,
  created: (run) => run.created,
  status: (run) => run.status,
  model: (run) => run.model,
  data: (run) => run.data,
  strategy: (run) => run.strategy,
  accuracy: (run) => run.validation_accuracy,
  loss: (run) => run.validation_loss,
  seconds: (run) => run.seconds,
};

const RESULT_VALUES: Record<ResultKey, (result: ResultSummary) => Value> = {
  title: (result) => result.title,
  created: (result) => result.created,
  kind: (result) => result.kind,
  model: (result) => result.model,
  data: (result) => result.data,
};

/** Keys that begin with the greatest when they are chosen: newest, most accurate, longest. */
export const BEGINS_GREAT: ReadonlySet<string> = new Set(["created", "accuracy", "seconds"]);

export function listRuns(runs: readonly RunSummary[], wanted: Wanted): RunSummary[] {
  const text = (run: RunSummary) => [run.name, run.model, run.data, run.strategy, run.note, run.status, ...(run.tags ?? [])].join(" ");
  const value = RUN_VALUES[wanted.sort as RunKey] ?? RUN_VALUES.created;
  return list(runs, wanted, text, (run) => run.status, value);
}

/** `runName` gives the name of a result's run, so that it is found by it. */
export function listResults(results: readonly ResultSummary[], wanted: Wanted, runName: (id: string) => string = () => ""): ResultSummary[] {
  const text = (result: ResultSummary) =>
    [result.title, result.kind, result.model, result.data, result.method, result.note, result.run ? runName(result.run) : "", ...(result.tags ?? [])].join(" ");
  const value = RESULT_VALUES[wanted.sort as ResultKey] ?? RESULT_VALUES.created;
  return list(results, wanted, text, (result) => result.kind, value);
}

function list<T extends { tags?: string[] }>(items: readonly T[], wanted: Wanted, text: (item: T) => string, kind: (item: T) => string, value: (item: T) => Value): T[] {
  const kept = items.filter(
    (item) => (!wanted.kind || kind(item) === wanted.kind) && (!wanted.tag || item.tags?.includes(wanted.tag)) && (!wanted.typed.trim() || matches(text(item), wanted.typed.trim())),
  );
  const sign = wanted.descending ? -1 : 1;
  return kept.sort((a, b) => compare(value(a), value(b), sign));
}

// What has no value comes last, whichever way the list is turned.
function compare(a: Value, b: Value, sign: number): number {
  const [without, missing] = [a === null || a === undefined || a === "", b === null || b === undefined || b === ""];
  if (without || missing) return Number(without) - Number(missing);
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
  return sign * order;
}

/** Which rows of a long list are near what is seen: from, and up to but without. */
export function windowOf(count: number, rowHeight: number, scrolled: number, height: number, margin = 12): [number, number] {
  const first = Math.max(Math.floor(scrolled / rowHeight) - margin, 0);
  const last = Math.min(Math.ceil((scrolled + height) / rowHeight) + margin, count);
  return [Math.min(first, Math.max(last, 0)), Math.max(last, 0)];
}

/** How often each value occurs, most frequent first. */
export function countBy<T>(items: readonly T[], value: (item: T) => string): [string, number][] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(value(item), (counts.get(value(item)) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}
