// Which component draws which kind of view. Each is a file of the kind's name beside this one, and is
// fetched when it is first shown.
import type { Component } from "svelte";
import type { View, ViewKind } from "$lib/kinds";

/** What every body of a figure takes. Its height is given only where there is a screen to fill. */
export interface BodyProps<V extends View = View> {
  view: V;
  width?: number;
  height?: number;
  onzoom?: (range: [number, number] | null) => void;
}

type Body = Component<BodyProps>;

const files = import.meta.glob<{ default: Body }>([
  "./Lines.svelte", "./Bars.svelte", "./Histogram.svelte", "./Matrix.svelte", "./Scatter.svelte", "./ImageGrid.svelte",
  "./Overlay.svelte", "./Tokens.svelte", "./Table.svelte", "./Text.svelte", "./Graph.svelte", "./Flow.svelte", "./Surface.svelte",
]);

export class UnknownKind extends Error {
  override name = "UnknownKind";
}

const loaded = new Map<string, Promise<Body>>();

/** The component for a kind of view. Rejects with UnknownKind for one that this page cannot draw. */
export function bodyOf(kind: ViewKind): Promise<Body> {
  const load = files[`./${kind}.svelte`];
  if (!load) return Promise.reject(new UnknownKind(kind));
  if (!loaded.has(kind)) {
    const body = load().then((module) => module.default);
    body.catch(() => loaded.delete(kind)); // a lost connection may come back
    loaded.set(kind, body);
  }
  return loaded.get(kind)!;
}
