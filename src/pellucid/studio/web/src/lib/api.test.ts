import { afterEach, expect, test, vi } from "vitest";
import { api, ApiError, apiUrl, fetchView, isAborted } from "./api";
import { connection } from "./connection.svelte";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function answer(status: number, body: string): ReturnType<typeof vi.fn> {
  const fetched = vi.fn(() => Promise.resolve(new Response(body, { status, statusText: "Teapot" })));
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

test("paths are below /api, and empty choices are left out", () => {
  expect(apiUrl("/runs/x")).toBe("/api/runs/x");
  expect(apiUrl("/api/runs/x", { a: 1, b: "", c: null, d: undefined, e: false })).toBe("/api/runs/x?a=1&e=false");
});

test("an answer is parsed, and what is sent is JSON", async () => {
  const fetched = answer(200, `{"id":"x"}`);
  expect(await api.patch("/runs/x", { note: "n" })).toEqual({ id: "x" });
  expect(fetched).toHaveBeenCalledWith("/api/runs/x", expect.objectContaining({ method: "PATCH", body: `{"note":"n"}` }));
});

test("an error of the server keeps its words, type and status", async () => {
  answer(404, JSON.stringify({ error: { type: "NotThere", message: "there is no run 'x'.", details: { near: "y" } } }));
  const error: unknown = await api.get("/runs/x").catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 404, type: "NotThere", message: "there is no run 'x'.", details: { near: "y" }, offline: false });
});

test("an error without the usual shape still says something", async () => {
  answer(502, "<html>");
  await expect(fetchView("/results/x/views/0")).rejects.toThrow("The server answered 502 Teapot.");
});

test("an unknown browser is told to open the address again", async () => {
  answer(401, `{"error":{"type":"Unauthorized","message":"no token"}}`);
  await expect(api.get("/session")).rejects.toMatchObject({ status: 401 });
  expect(connection.refused).toBe(true);
});

test("a server that is gone is asked for until it is back", async () => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", vi.fn(() => Promise.reject(new TypeError("failed"))));
  await expect(api.get("/workspace")).rejects.toMatchObject({ status: 0, offline: true });
  expect(connection.lost).toBe(true);
  const returns = connection.returns;
  await vi.advanceTimersByTimeAsync(1600);
  expect(connection.lost).toBe(true);
  answer(200, "{}");
  await vi.advanceTimersByTimeAsync(2500);
  expect(connection.lost).toBe(false);
  expect(connection.returns).toBe(returns + 1);
});

test("an answer that is not wanted any more is no failure of the server", async () => {
  vi.stubGlobal("fetch", vi.fn(() => Promise.reject(new DOMException("stopped", "AbortError"))));
  const error: unknown = await api.get("/workspace").catch((reason: unknown) => reason);
  expect(isAborted(error)).toBe(true);
  expect(connection.lost).toBe(false);
});
