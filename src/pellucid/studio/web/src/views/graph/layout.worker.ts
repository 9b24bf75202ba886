// Lays out a graph beside the page, so that the page never waits for it.
import type { Openness, Structure } from "./hierarchy";
import { Layouts, type Drawing } from "./layout";

export type Asked = { structure: Structure } | { number: number; open: [number, Openness][] };
export type Answered = { number: number; drawing: Drawing; milliseconds: number } | { number: number; problem: string };

let layouts: Layouts | null = null;

self.onmessage = ({ data }: MessageEvent<Asked>) => {
  if ("structure" in data) {
    layouts = new Layouts(data.structure);
    return;
  }
  answer(data.number, data.open);
};

function answer(number: number, open: [number, Openness][]): void {
  try {
    const started = performance.now();
    const drawing = layouts!.layOut(new Map(open));
    const { items, boxes, open: isOpen, points, starts, kinds, heads, from, to } = drawing;
    const moved = [items, boxes, isOpen, points, starts, kinds, heads, from, to].map((array) => array.buffer);
    self.postMessage({ number, drawing, milliseconds: performance.now() - started } satisfies Answered, { transfer: moved });
  } catch (error) {
    self.postMessage({ number, problem: error instanceof Error ? error.message : String(error) } satisfies Answered);
  }
}
