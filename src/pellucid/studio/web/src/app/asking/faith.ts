// Faithfulness of one method's map in a word: does it show what the answer hangs on?
import type { Faithfulness } from "$lib/schemas";

export type Verdict = Faithfulness["verdict"];

/** The entries of one method, and the most cautious verdict among those that were reached. */
export function verdictOf(entries: readonly Faithfulness[], method: string): { verdict: Verdict; entries: Faithfulness[] } {
  const own = entries.filter((entry) => entry.method === method);
  const reached = new Set(own.map((entry) => entry.verdict));
  const good = own.filter((entry) => entry.verdict === "good").length;
  const bad = own.filter((entry) => entry.verdict === "bad").length;
  if (reached.has("doubtful") || (good && bad)) return { verdict: "doubtful", entries: own };
  return { verdict: bad ? "bad" : good ? "good" : "unknown", entries: own };
}
