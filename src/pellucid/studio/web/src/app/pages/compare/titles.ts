// What people call a model that is named by a reference.
import type { RunSummary } from "$lib/schemas";

/** A run's name, or what follows the source's name; "" for no reference. */
export function titleOf(reference: string, runs: readonly RunSummary[]): string {
  const at = reference.indexOf(":");
  const name = reference.slice(at + 1);
  if (!reference.startsWith("run:")) return name;
  return runs.find((run) => run.id === name)?.name ?? name;
}
