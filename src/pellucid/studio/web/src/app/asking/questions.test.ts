import { afterEach, expect, test, vi } from "vitest";
import type { Why } from "$lib/schemas";
import { Questions } from "./questions.svelte";
import { begun } from "./strokes";

const sent: { path: string; body: Record<string, unknown> }[] = [];
let wait = 0;

function serve(init: { path: string; body: Record<string, unknown> }, signal: AbortSignal): Promise<Response> {
  sent.push(init);
  const predictions = { answers: [{ label: "cat", index: 0, logit: 1, probability: (init.body.strokes as unknown[]).length ? 0.2 : 0.9 }], num_classes: 2, seconds: 0 };
  const faithfulness = init.body.faithfulness ? [{ method: "grad_cam" }] : [];
  const why = { id: "w", predictions, target: predictions.answers[0], views: [], methods: init.body.methods, faithfulness, refused: {}, seconds: 0 };
  return new Promise((resolve, reject) => {
    setTimeout(() => resolve(new Response(JSON.stringify(init.path.endsWith("why") ? why : predictions))), wait);
    signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
  });
}
vi.stubGlobal("fetch", (path: string, init: RequestInit) => serve({ path, body: JSON.parse(init.body as string) as Record<string, unknown> }, init.signal!));
afterEach(() => (sent.length = wait = 0));

const subject = { model: { reference: "run:a" }, input: "i" };
const nothing = { strokes: [], fill: "blur" as const };
const stroke = { strokes: begun([], [0.5, 0.5], 0.1), fill: "mean" as const };
const settle = (ms = 400) => new Promise((resolve) => setTimeout(resolve, ms));

test("strokes are asked about as the server takes them, and what was answered before stays beside", async () => {
  const questions = new Questions();
  questions.answer(subject, nothing);
  questions.answer(subject, stroke);
  await settle();
  expect(sent[1]!.body).toEqual({ model: { reference: "run:a" }, input: "i", strokes: [{ points: [[0.5, 0.5]], radius: 0.1 }], fill: "mean" });
  expect(questions.before?.answers[0]!.probability).toBe(0.9);
  expect(questions.now?.answers[0]!.probability).toBe(0.2);
  questions.reset();
  expect([questions.before, questions.now]).toEqual([null, null]);
});

test("maps come first, and are measured once nothing else is asked", async () => {
  const questions = new Questions();
  questions.explain(subject, nothing, { methods: ["grad_cam"], faithfulness: true });
  await settle(100);
  expect(questions.reasons?.why.faithfulness).toEqual([]);
  await settle();
  expect(sent.map(({ body }) => body.faithfulness)).toEqual([false, true]);
  expect((questions.reasons?.why as Why).faithfulness).toHaveLength(1);
});

test("a new stroke does not wait for the measuring of older maps", async () => {
  const questions = new Questions();
  questions.explain(subject, nothing, { methods: ["grad_cam"], faithfulness: true });
  await settle(50);
  wait = 5_000;
  await settle(350);
  expect(questions.measuring).toBe(true);
  wait = 0;
  questions.explain(subject, stroke, { methods: ["grad_cam"], faithfulness: true }, true);
  await settle(100);
  expect(sent.at(-1)!.body).toMatchObject({ fill: "mean", faithfulness: false });
  expect(questions.measuring).toBe(false);
  questions.reset();
});
