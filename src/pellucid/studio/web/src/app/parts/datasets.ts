// Which data set of the studio a run or a result speaks of: they name it by its source, the studio by an id.
import type { DataSet } from "$lib/schemas";

/** The data set that `source` ("bundled:digits", "folder:/photos") names, if the studio may read it. */
export function dataSetOf(source: string, sets: readonly DataSet[]): DataSet | undefined {
  const colon = source.indexOf(":");
  const [scheme, rest] = [source.slice(0, Math.max(colon, 0)), source.slice(colon + 1)];
  const parts = rest.split("?")[0]?.split(/[\\/]/).filter(Boolean) ?? [];
  if (scheme === "bundled") return sets.find((data) => data.source === "bundled" && data.id === `bundled-${rest}`);
  const byId = sets.find((data) => data.source === "upload" && parts.includes(data.id));
  return byId ?? sets.find((data) => data.source !== "bundled" && data.title === parts.at(-1));
}

const HELD_OUT = ["test", "val", "validation", "valid"];

/** The split that a model should be judged on: one that it was not trained on, as far as names tell. */
export function heldOut(splits: readonly string[]): string {
  return HELD_OUT.find((name) => splits.includes(name)) ?? "";
}
