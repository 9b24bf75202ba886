// What the model answered before a change and after it, class by class.
import type { Predictions } from "$lib/schemas";

export interface AnswerRow {
  label: string;
  index: number;
  /** Probabilities from 0 to 1; null where the class was not among the most probable. */
  now: number | null;
  before: number | null;
  /** Change of the probability; 0 where nothing was changed, null where one of both is not known. */
  change: number | null;
}

/** At most `most` classes. While something is hidden they keep the order from before it, so that bars do not jump. */
export function answerRows(before: Predictions | null, now: Predictions | null, most = 6): AnswerRow[] {
  const after = now ?? before;
  if (!after) return [];
  const order = [...(before ?? after).answers.slice(0, most), ...after.answers];
  const places = [...new Map(order.map((answer) => [answer.index, answer.label]))];
  const top = after.answers[0]?.index;
  const kept = places.filter(([index], place) => place < most || index === top).slice(0, most + 1);
  return kept.map(([index, label]) => {
    const [was, is] = [chance(before, index), chance(after, index)];
    return { label, index, before: was, now: is, change: before && now ? difference(was, is) : 0 };
  });
}

function chance(predictions: Predictions | null, index: number): number | null {
  return predictions?.answers.find((answer) => answer.index === index)?.probability ?? null;
}

function difference(before: number | null, now: number | null): number | null {
  return before === null || now === null ? null : now - before;
}

/** The smallest probability that is told: what is not told lies below it. */
export function floor(predictions: Predictions | null): number {
  return predictions?.answers.at(-1)?.probability ?? 0;
}
