import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { latest } from "./latest";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function asked(seconds: number) {
  const begun: { question: number; at: number; signal: AbortSignal }[] = [];
  const shown: number[] = [];
  const failed: unknown[] = [];
  const busy: boolean[] = [];
  const start = performance.now();
  const line = latest<number, number>({
    every: 150,
    answer: (question, signal) => {
      begun.push({ question, at: performance.now() - start, signal });
      return new Promise((resolve, reject) =>
        setTimeout(() => (question < 0 ? reject(new Error("no")) : resolve(question * 10)), seconds),
      );
    },
    onanswer: (answer) => shown.push(answer),
    onerror: (error) => failed.push(error),
    onbusy: (now) => busy.push(now),
  });
  return { line, begun, shown, failed, busy };
}

test("the first is asked at once, then at most one each 150 ms, and the last is never lost", async () => {
  const { line, begun, shown } = asked(10);
  for (let i = 0; i < 30; i++) {
    line.ask(i);
    await vi.advanceTimersByTimeAsync(20);
  }
  await vi.advanceTimersByTimeAsync(500);
  expect(begun[0]!.at).toBe(0);
  begun.slice(1).forEach((one, i) => expect(one.at - begun[i]!.at).toBeGreaterThanOrEqual(149));
  expect(begun.length).toBeLessThanOrEqual(6);
  expect(shown.at(-1)).toBe(290);
});

test("a slow model is asked one question at a time, and the newest that waits follows", async () => {
  const { line, begun, shown, busy } = asked(1000);
  for (const question of [1, 2, 3]) line.ask(question);
  await vi.advanceTimersByTimeAsync(999);
  expect(begun.map((one) => one.question)).toEqual([1]);
  await vi.advanceTimersByTimeAsync(1100);
  expect(shown).toEqual([10, 30]);
  expect(busy).toEqual([true, true, false]);
});

test("after stop no stale answer is shown, and a new question starts at once", async () => {
  const { line, begun, shown } = asked(1000);
  line.ask(1);
  line.ask(2);
  line.stop();
  expect(begun[0]!.signal.aborted).toBe(true);
  line.ask(3);
  await vi.advanceTimersByTimeAsync(3000);
  expect(begun.map((one) => one.question)).toEqual([1, 3]);
  expect(shown).toEqual([30]);
});

test("a failure is told, and does not end the line", async () => {
  const { line, failed, shown } = asked(10);
  line.ask(-1);
  await vi.advanceTimersByTimeAsync(300);
  line.ask(4);
  await vi.advanceTimersByTimeAsync(300);
  expect(failed).toHaveLength(1);
  expect(shown).toEqual([40]);
});
