import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { events } from "./events";

class Source extends EventTarget {
  static readonly CLOSED = 2;
  static all: Source[] = [];
  readyState = 1;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  constructor(readonly url: string) {
    super();
    Source.all.push(this);
  }
  close(): void {
    this.readyState = Source.CLOSED;
  }
  send(name: string, data: unknown, id = "1"): void {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data), lastEventId: id }));
  }
}

beforeEach(() => {
  Source.all = [];
  vi.stubGlobal("EventSource", Source);
  vi.stubGlobal("fetch", () => Promise.resolve(new Response("{}")));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("events are parsed and told by name, until they are stopped", () => {
  vi.stubGlobal("BroadcastChannel", undefined);
  const heard: unknown[] = [];
  const stop = events("/jobs/events", { job: (job: unknown, id) => heard.push([job, id]), open: () => heard.push("open") });
  const [source] = Source.all;
  expect(source?.url).toBe("/api/jobs/events");
  source?.onopen?.();
  source?.send("job", { id: "a" }, "7");
  source?.send("other", {});
  expect(heard).toEqual(["open", [{ id: "a" }, "7"]]);
  stop();
  expect(source?.readyState).toBe(Source.CLOSED);
});

test("a stream that was refused for good is begun anew", () => {
  vi.useFakeTimers();
  vi.stubGlobal("BroadcastChannel", undefined);
  const stop = events("/events", { changed: () => {} });
  Source.all[0]?.close();
  Source.all[0]?.onerror?.();
  vi.advanceTimersByTime(2500);
  expect(Source.all).toHaveLength(2);
  stop();
});

test("two listeners of one stream share a connection, and the second takes over", async () => {
  const channels: { name: string; onmessage: ((event: { data: unknown }) => void) | null }[] = [];
  vi.stubGlobal("BroadcastChannel", class {
    onmessage: ((event: { data: unknown }) => void) | null = null;
    constructor(readonly name: string) {
      channels.push(this);
    }
    postMessage(data: unknown): void {
      for (const other of channels) if (other !== this && other.name === this.name) other.onmessage?.({ data });
    }
    close(): void {
      channels.splice(channels.indexOf(this), 1);
    }
  });
  let queue = Promise.resolve();
  vi.stubGlobal("navigator", { locks: { request: (_name: string, _options: unknown, held: () => Promise<void>) => (queue = queue.then(held)) } });
  const heard: string[] = [];
  const stopFirst = events("/events", { changed: () => heard.push("first") });
  const stopSecond = events("/events", { changed: () => heard.push("second") });
  await vi.waitFor(() => expect(Source.all).toHaveLength(1));
  Source.all[0]?.send("changed", null);
  expect(heard.sort()).toEqual(["first", "second"]);
  stopFirst();
  await vi.waitFor(() => expect(Source.all).toHaveLength(2));
  Source.all[1]?.send("changed", null);
  expect(heard).toEqual(["first", "second", "second"]);
  stopSecond();
});
