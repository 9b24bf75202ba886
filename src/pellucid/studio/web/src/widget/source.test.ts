import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sourceOf, type Model } from "./source";

const packed = readFileSync("src/lib/fixtures/Text.view");
const view = () => new DataView(packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.byteLength));

/** A model as anywidget gives it; with `answers` off, no kernel is there. */
function modelOf(state: Record<string, unknown>, answers = true) {
  const sent: number[] = [];
  const listeners: Parameters<Model["on"]>[1][] = [];
  const model = {
    get: (name: string) => state[name],
    set: (name: string, value: unknown) => void (state[name] = value),
    send: ({ want }: { want: number }) => {
      sent.push(want);
      if (answers) setTimeout(() => listeners.forEach((act) => act({ view: want }, [view()])));
    },
    on: (_: string, act: Parameters<Model["on"]>[1]) => void listeners.push(act),
    off: (_: string, act: Parameters<Model["on"]>[1]) => void listeners.splice(listeners.indexOf(act), 1),
  };
  return { model: model as unknown as Model, sent, listeners };
}

test("a view is asked of the kernel once, and comes from the state of a saved notebook without one", async () => {
  const state: Record<string, unknown> = { summary: "", entries: [] };
  const live = modelOf(state);
  const source = sourceOf(live.model);
  expect((await source.view(2)).kind).toBe("Text");
  expect((await source.view(2)).kind).toBe("Text");
  expect(live.sent).toEqual([2]);
  source.close();
  expect(live.listeners).toEqual([]);
  const saved = modelOf(structuredClone(state), false);
  expect((await sourceOf(saved.model).view(2)).kind).toBe("Text");
  expect(saved.sent).toEqual([]);
});

test("views that would make a notebook too large are not kept in it", async () => {
  const large = new DataView(new ArrayBuffer(8 * 2 ** 20));
  const state: Record<string, unknown> = { kept: { 0: large } };
  await sourceOf(modelOf(state).model).view(1);
  expect(state.kept).toEqual({ 0: large });
});
