// Maps that answer several questions about one sample, put side by side in one figure.
import type { Overlay, View } from "$lib/kinds";
import type { Reasons } from "./questions.svelte";

export interface Part {
  /** What the map answers, as "Speaks for cat". */
  name: string;
  reasons: Reasons;
}

/** One overlay with a map of each part and method; of texts one view for each part and method. */
export function sideBySide(parts: readonly Part[], title: string): View[] {
  const overlays = parts.flatMap(({ name, reasons }) => reasons.views.filter(isOverlay).map((view) => ({ name, view })));
  const others = parts.flatMap(({ name, reasons }) =>
    reasons.views.filter((view) => !isOverlay(view)).map((view) => ({ ...view, title: name, caption: "" })),
  );
  const first = overlays[0];
  if (!first) return others;
  const several = first.view.maps.length > 1;
  const maps = overlays.flatMap(({ name, view }, part) =>
    view.maps.map((map) => ({ ...map, name: several ? `${name} · ${map.name}` : name, caption: part ? "" : map.caption })),
  );
  return [{ ...first.view, title, caption: "", maps, probabilities: null }, ...others];
}

function isOverlay(view: View): view is Overlay {
  return view.kind === "Overlay";
}
