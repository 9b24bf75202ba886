// What this page knows of each sample: its picture, once a view with it is drawn, and its explanation.
import { SvelteMap } from "svelte/reactivity";
import type { Picture, View } from "$lib/kinds";
import type { KnownSample } from "$views/context";
import type { SectionRecord } from "./record";

const pictures = new SvelteMap<string, Picture>();
let explanations = new Map<string, string>();

export function meetSections(sections: SectionRecord[]): void {
  const explained = sections.flatMap((section) => section.views).filter((view) => view.sample);
  explanations = new Map(explained.reverse().map((view) => [view.sample, `#${view.id}`]));
}

export function meetView(view: View): void {
  const shown = view.kind === "ImageGrid" ? view.pictures : view.kind === "Overlay" ? [view.picture] : [];
  for (const picture of shown) {
    if (picture.sample && !pictures.has(picture.sample)) pictures.set(picture.sample, picture);
  }
}

export function findSample(sample: string): KnownSample | undefined {
  const [picture, href] = [pictures.get(sample), explanations.get(sample)];
  if (!picture && !href) return undefined;
  return { url: picture?.pixels.url, label: picture?.label, href };
}

export function explainSample(sample: string): void {
  const href = explanations.get(sample);
  if (href) location.hash = href;
}

export const isExplained = (sample: string): boolean => explanations.has(sample);
