// What is known of the samples that a result shows: a picture or a text, and a label, from its own views where they
// were read, or else from its data set. Views ask through the context "findSample".
import { api, apiUrl } from "$lib/api";
import type { Picture, View } from "$lib/kinds";
import { SvelteMap } from "svelte/reactivity";
import { explainHref } from "./links";

export interface Known {
  url?: string;
  /** The beginning of a text. */
  text?: string;
  label?: string;
  href?: string;
}

interface Located {
  data: string;
  split?: string | null;
  position: number;
  label?: string;
  snippet?: string;
}
const SIZE = 160;

export class Samples {
  #result: string;
  #known = new SvelteMap<string, Known>();
  #asked = new Set<string>();

  constructor(result: string) {
    this.#result = result;
  }

  /** What is known of a sample; what is not is asked for, and known a moment later. */
  find = (sample: string): Known => {
    const known = this.#known.get(sample);
    if (!known && !this.#asked.has(sample)) {
      this.#asked.add(sample);
      void this.#locate(sample);
    }
    return known ?? { href: this.#href(sample) };
  };

  /** Remember the pictures that a view shows. */
  learn = (view: View): void => {
    for (const picture of picturesOf(view)) {
      if (picture.sample && !this.#known.get(picture.sample)?.url) {
        this.#known.set(picture.sample, { url: picture.pixels.url, label: picture.label, href: this.#href(picture.sample) });
      }
    }
  };

  #href(sample: string): string {
    return explainHref({ sample, result: this.#result });
  }

  // A sample whose data the studio cannot read stays a name: that is told where it is explained.
  async #locate(sample: string): Promise<void> {
    const found = await api.get<Located>("/samples", { query: { result: this.#result, sample } }).catch(() => null);
    if (!found || this.#known.get(sample)?.url) return;
    const { label, snippet: text } = found;
    if (text) return void this.#known.set(sample, { text, label, href: this.#href(sample) });
    const url = apiUrl(`/data/${found.data}/samples/${found.position}.png`, { split: found.split, size: SIZE });
    this.#known.set(sample, { url, label, href: this.#href(sample) });
  }
}

function picturesOf(view: View): readonly Picture[] {
  if (view.kind === "ImageGrid") return view.pictures;
  return view.kind === "Overlay" ? [view.picture] : [];
}
