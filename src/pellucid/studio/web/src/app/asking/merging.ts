// Maps that came sooner take their place among those that are still from before.
import type { Overlay, Tokens, View } from "$lib/kinds";
import type { Reasons } from "./questions.svelte";

/** `all` with the maps of `some` in place of those of the same method. */
export function merged(all: Reasons, some: Reasons): Reasons {
  const fresh = new Set(some.why.methods);
  return {
    why: {
      ...some.why,
      methods: all.why.methods,
      views: all.why.views,
      refused: { ...all.why.refused, ...some.why.refused },
      faithfulness: [],
    },
    views: all.views.map((view) => mergedView(view, some.views)),
    stale: all.why.methods.filter((method) => !fresh.has(method)),
  };
}

function mergedView(view: View, others: readonly View[]): View {
  if (view.kind === "Overlay") return mergedOverlay(view, others);
  if (view.kind === "Tokens") return others.find((other): other is Tokens => other.kind === "Tokens" && other.title === view.title) ?? view;
  return view;
}

function mergedOverlay(view: Overlay, others: readonly View[]): Overlay {
  const other = others.find((each): each is Overlay => each.kind === "Overlay");
  if (!other) return view;
  const maps = new Map(other.maps.map((map) => [map.name, map]));
  return { ...other, title: view.title, maps: view.maps.map((map) => maps.get(map.name) ?? map) };
}
