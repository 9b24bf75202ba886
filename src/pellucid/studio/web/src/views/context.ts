// What a surface can do with what its views show. Pages offer it by `setContext`; views ask for it.
import { getContext, type Snippet } from "svelte";
import type { Heatmap } from "$lib/kinds";

/** Goes to the explanation of a sample, by its id. */
export type ExplainSample = (sample: string) => void;
/** Goes to what is known of a layer, by the item's number in the graph and its dotted name. */
export type OpenNode = (item: number, name: string) => void;

export interface KnownSample {
  /** A picture of it, ready for `src`. */
  url?: string;
  /** The beginning of it, where it is a text. */
  text?: string;
  label?: string;
  /** Where on this surface its explanation is. */
  href?: string;
}
/** What else is known of a sample, by its id. */
export type FindSample = (sample: string) => KnownSample | undefined;

export const explainSample = (): ExplainSample | undefined => getContext("explainSample");
export const openNode = (): OpenNode | undefined => getContext("onnode");
export const findSample = (): FindSample | undefined => getContext("findSample");

/** What a page adds to the name of each map, such as how far it can be trusted; with the map's place in its figure. */
export type MapBadge = Snippet<[Heatmap, number]>;
export const mapBadge = (): MapBadge | undefined => getContext("mapBadge");
