// All runs and results, shared by the pages and kept fresh by the server's events.
import { api, events } from "$lib/api";
import type { ResultSummary, RunSummary, Workspace } from "$lib/schemas";

let held = $state.raw<Workspace | null>(null);
let error = $state.raw<Error | null>(null);
let reading = false;
let again = false;
const PAUSE = 1000;

export const workspace = {
  get data(): Workspace | null {
    return held;
  },
  get error(): Error | null {
    return error;
  },
  get runs(): readonly RunSummary[] {
    return held?.runs ?? [];
  },
  get results(): readonly ResultSummary[] {
    return held?.results ?? [];
  },
  get tags(): readonly string[] {
    return held?.tags ?? [];
  },
  run(id: string | null | undefined): RunSummary | undefined {
    return held?.runs.find((run) => run.id === id);
  },
  result(id: string | null | undefined): ResultSummary | undefined {
    return held?.results.find((result) => result.id === id);
  },
  load,
  /** Read at every change of the workspace; returns how to stop. */
  follow(): () => void {
    return events("/events", { open: () => void load(), changed: () => void load() });
  },
  /** Put in a run or result whose tags or note were changed, before the server tells everyone. */
  replace(kind: "runs" | "results", changed: RunSummary | ResultSummary): void {
    if (!held) return;
    const list = held[kind].map((item) => (item.id === changed.id ? { ...item, tags: changed.tags, note: changed.note } : item));
    const tags = [...new Set([...held.tags, ...(changed.tags ?? [])])].sort();
    held = { ...held, [kind]: list, tags };
  },
};

// Changes come in bursts while a run is written: one reading at a time, and one more after the last.
async function load(): Promise<void> {
  if (reading) {
    again = true;
    return;
  }
  reading = true;
  try {
    held = await api.get<Workspace>("/workspace");
    error = null;
  } catch (reason) {
    error = reason instanceof Error ? reason : new Error(String(reason));
  }
  setTimeout(() => {
    reading = false;
    if (!again) return;
    again = false;
    void load();
  }, PAUSE);
}
