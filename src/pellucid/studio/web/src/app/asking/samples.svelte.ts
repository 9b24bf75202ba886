// Where the samples that results name can be found: asked for once each, a few at a time.
import { api, apiUrl } from "$lib/api";
import { SvelteMap } from "svelte/reactivity";
import type { FoundSample } from "./sources";

const AT_ONCE = 4;
const found = new SvelteMap<string, FoundSample | null>();
const queue: { key: string; result: string; sample: string }[] = [];
const asked = new Set<string>();
let under = 0;

const keyOf = (result: string, sample: string) => `${result} ${sample}`;

/** The sample as the server finds it; undefined until it answers, null where it cannot be found. */
export function foundSample(result: string, sample: string): FoundSample | null | undefined {
  return found.get(keyOf(result, sample));
}

export function findSample(result: string, sample: string): void {
  const key = keyOf(result, sample);
  if (asked.has(key)) return;
  asked.add(key);
  queue.push({ key, result, sample });
  work();
}

function work(): void {
  while (under < AT_ONCE && queue.length) {
    const { key, result, sample } = queue.shift()!;
    under += 1;
    api
      .get<FoundSample>("/samples", { query: { result, sample } })
      .then((item) => void found.set(key, item), () => void found.set(key, null))
      .finally(() => {
        under -= 1;
        work();
      });
  }
}

export function thumbnail(item: FoundSample, size: number): string {
  return apiUrl(`/data/${item.data}/samples/${item.position}.png`, { split: item.split, size });
}
