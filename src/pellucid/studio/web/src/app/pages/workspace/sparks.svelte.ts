// The course of each run's validation accuracy (its loss, where there is no accuracy), for small curves.
// Rows ask for theirs as they are drawn; what is asked for within a moment goes to the server together.
import { api, isAborted, words } from "$lib/api";
import type { Curve, Curves, RunSummary } from "$lib/schemas";
import { SvelteMap } from "svelte/reactivity";

type Values = readonly (number | null)[];
const NAMES = ["epoch.validation_accuracy", "epoch.validation_loss"];
const MOST_AT_ONCE = 50;
const AGAIN = 5000;

const known = new SvelteMap<string, Values>();
const asked = new Map<string, string>();
let waiting: string[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

export const sparks = {
  of(run: RunSummary): Values | undefined {
    const state = `${run.status} ${run.epochs} ${run.validation_loss}`;
    if (run.status !== "missing" && asked.get(run.id) !== state) {
      asked.set(run.id, state);
      waiting.push(run.id);
      timer ??= setTimeout(send, 60);
    }
    return known.get(run.id);
  },
};

async function send(): Promise<void> {
  timer = undefined;
  const runs = waiting.splice(0, MOST_AT_ONCE);
  if (waiting.length) timer = setTimeout(send, 60);
  try {
    const { curves } = await api.get<Curves>("/metrics", { query: { runs: runs.join(","), names: NAMES.join(","), points: 60 } });
    for (const id of runs) known.set(id, best(curves.filter((curve) => curve.run === id)));
  } catch (error) {
    if (isAborted(error)) return;
    // The list is of use without its small curves; they are asked for again later.
    console.warn(`The small curves could not be read: ${words(error)}`);
    setTimeout(() => runs.forEach((id) => asked.delete(id)), AGAIN);
  }
}

function best(curves: readonly Curve[]): Values {
  for (const name of NAMES) {
    const found = curves.find((curve) => curve.name === name);
    if (found?.y.some((value) => value !== null)) return found.y;
  }
  return [];
}
