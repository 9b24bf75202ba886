// What a page has to say on single maps of a figure: shown under each map's name.
import { setContext } from "svelte";
import type { Snippet } from "svelte";

/** Offers `note`, which is rendered with the name of each map, to all figures inside of the caller. */
export function noteMaps(note: Snippet<[string]>): void {
  setContext("mapNote", note);
}
