// How the views of a section stand on the page: narrow ones in pairs, explained samples together.
import type { ViewEntry } from "./record";

export type Width = "half" | "wide";

export interface Part {
  views: ViewEntry[];
  width: Width;
  /** Views that explain samples one after another. */
  gallery: boolean;
}

/** How many samples a gallery explains: two models' views of one sample are one. */
export const countSamples = (part: Part): number => new Set(part.views.map((view) => view.sample)).size;

export function arrange(views: ViewEntry[]): Part[] {
  const parts: Part[] = [];
  for (const view of views) {
    const last = parts.at(-1);
    if (view.sample && last?.gallery) last.views.push(view);
    else parts.push({ views: [view], width: "wide", gallery: view.sample !== "" });
  }
  for (let place = 0; place + 1 < parts.length; place++) {
    const [one, next] = [parts[place]!, parts[place + 1]!];
    if (one.views[0]!.narrow && next.views[0]!.narrow) {
      one.width = next.width = "half";
      place++;
    }
  }
  return parts;
}
