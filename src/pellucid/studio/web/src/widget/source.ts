// What the widget draws, asked of Python message by message.
import type { View } from "$lib/kinds";
import { unpack } from "$lib/pack";

/** The part of anywidget's model that is used. */
export interface Model {
  get(name: "summary" | "style"): string;
  get(name: "entries"): Entry[];
  send(message: { want: number }): void;
  on(event: "msg:custom", act: (message: { view?: number }, buffers: DataView[]) => void): void;
  off(event: "msg:custom", act: (message: { view?: number }, buffers: DataView[]) => void): void;
}

export interface Entry {
  kind: string;
  title: string;
}

export interface Source {
  summary: string;
  entries: Entry[];
  view(number: number): Promise<View>;
  close(): void;
}

const PATIENCE = 60_000; // milliseconds that Python may take to pack a view

export function sourceOf(model: Model): Source {
  const waiting = new Map<number, (buffer: DataView) => void>();
  const arrived = (message: { view?: number }, buffers: DataView[]) => {
    if (message.view !== undefined && buffers[0]) waiting.get(message.view)?.(buffers[0]);
  };
  model.on("msg:custom", arrived);
  return {
    summary: model.get("summary"),
    entries: model.get("entries"),
    view: (number) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("the kernel does not answer")), PATIENCE);
        waiting.set(number, (buffer) => {
          clearTimeout(timer);
          const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).slice();
          try {
            resolve(unpack(bytes.buffer));
          } catch (error) {
            reject(error as Error);
          }
        });
        model.send({ want: number });
      }),
    close: () => model.off("msg:custom", arrived),
  };
}
