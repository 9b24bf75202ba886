import { expect, test } from "vitest";
import type { Faithfulness } from "$lib/schemas";
import { verdictOf, type Verdict } from "./faith";

function entry(method: string, verdict: Verdict): Faithfulness {
  return { method, verdict, measure: "deletion", title: "Deletion", value: 0.2, controls: { random: 0.5 }, better: "lower", meaning: "" };
}

test.each([
  [["good", "good"], "good"],
  [["good", "unknown"], "good"],
  [["good", "bad"], "doubtful"],
  [["doubtful", "good"], "doubtful"],
  [["bad"], "bad"],
  [["unknown"], "unknown"],
  [[], "unknown"],
] as [Verdict[], Verdict][])("measures that say %j make it %s", (verdicts, expected) => {
  const entries = [...verdicts.map((verdict) => entry("cam", verdict)), entry("other", "bad")];
  const found = verdictOf(entries, "cam");
  expect(found.verdict).toBe(expected);
  expect(found.entries).toHaveLength(verdicts.length);
});
