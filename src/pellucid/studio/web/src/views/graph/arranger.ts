// Who lays out: a worker in the studio; the page itself where all of it is a single file.
import type { Open, Structure } from "./hierarchy";
import { Layouts, type Drawing } from "./layout";
import type { Answered, Asked } from "./layout.worker";

declare const __SURFACE__: string;

export interface Arranger {
  /** Lays out what is open. Of several calls only the last is answered; the others give null. */
  arrange(open: Open): Promise<Drawing | null>;
  close(): void;
}

export function arrangerOf(structure: Structure): Arranger {
  return __SURFACE__ === "studio" && typeof Worker !== "undefined" ? inWorker(structure) : onPage(structure);
}

function onPage(structure: Structure): Arranger {
  const layouts = new Layouts(structure);
  return { arrange: (open) => Promise.resolve().then(() => layouts.layOut(open)), close: () => undefined };
}

function inWorker(structure: Structure): Arranger {
  const worker = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
  const waiting = new Map<number, { resolve: (drawing: Drawing | null) => void; reject: (error: Error) => void }>();
  let last = 0;
  const send = (asked: Asked) => worker.postMessage(asked);
  worker.onmessage = ({ data }: MessageEvent<Answered>) => {
    const asked = waiting.get(data.number);
    waiting.delete(data.number);
    if ("problem" in data) asked?.reject(new Error(data.problem));
    else asked?.resolve(data.number === last ? data.drawing : null);
  };
  worker.onerror = (event) => {
    for (const asked of waiting.values()) asked.reject(new Error(event.message || "the worker did not start"));
    waiting.clear();
  };
  send({ structure });
  return {
    arrange: (open) =>
      new Promise((resolve, reject) => {
        last += 1;
        waiting.set(last, { resolve, reject });
        send({ number: last, open: [...open] });
      }),
    close: () => worker.terminate(),
  };
}
