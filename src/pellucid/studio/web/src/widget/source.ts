// What the widget draws, asked of Python message by message.
import type { View } from "$lib/kinds";
import { unpack } from "$lib/pack";

/** Packed views by number, as the state of a saved notebook holds them. */
type Kept = Record<string, DataView>;

/** The part of anywidget's model that is used. */
export interface Model {
  get(name: "summary" | "stylesheet"): string;
  get(name: "entries"): Entry[];
  get(name: "kept"): Kept | undefined;
  set(name: "kept", value: Kept): void;
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
const MOST_KEPT = 8 * 2 ** 20; // bytes of views that a notebook is saved with

export function sourceOf(model: Model): Source {
  const waiting = new Map<number, (buffer: DataView) => void>();
  const arrived = (message: { view?: number }, buffers: DataView[]) => {
    if (message.view !== undefined && buffers[0]) waiting.get(message.view)?.(buffers[0]);
  };
  model.on("msg:custom", arrived);
  return {
    summary: model.get("summary"),
    entries: model.get("entries"),
    view: async (number) => {
      const kept = model.get("kept")?.[number];
      return unpack(bytesOf(kept ?? (await asked(number))));
    },
    close: () => model.off("msg:custom", arrived),
  };

  function asked(number: number): Promise<DataView> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the kernel does not answer")), PATIENCE);
      waiting.set(number, (buffer) => {
        clearTimeout(timer);
        waiting.delete(number);
        keep(model, number, buffer);
        resolve(buffer);
      });
      model.send({ want: number });
    });
  }
}

/** Puts a view into the page's state alone: it is saved with the notebook, and not sent to the kernel again. */
function keep(model: Model, number: number, buffer: DataView): void {
  const kept: Kept = { ...model.get("kept"), [number]: buffer };
  const bytes = Object.values(kept).reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (bytes <= MOST_KEPT) model.set("kept", kept);
}

function bytesOf({ buffer, byteOffset, byteLength }: DataView): ArrayBuffer {
  return new Uint8Array(buffer, byteOffset, byteLength).slice().buffer as ArrayBuffer;
}
