import { expect, test } from "vitest";
import { change, counts, filteredPairs, firstFilter, neighbour, pairsOf } from "./pairs";

const pairs = pairsOf({
  labels: ["cat", "dog", "cow"],
  samples: ["s0", "s1", "s2", "s3", "s4"],
  target: [0, 0, 1, 1, -1],
  compared: [0, 0, 1, 1, 0],
  predicted: [
    [0, 0, 0, 2, 0],
    [0, 1, 1, 0, 1],
  ],
  confidence: [
    [0.9, 0.8, 0.7, 0.6, 0.5],
    [0.9, 0.8, 0.7, 0.6, null],
  ],
  probability: [
    [0.9, 0.8, 0.1, 0.2, 0.5],
    [0.95, 0.1, 0.9, 0.1, null],
  ],
  outcome: [0, 1, 2, 3, -1],
});
const names = (found: { sample: string }[]) => found.map((pair) => pair.sample);

test("flips come first, the largest change at the top", () => {
  expect(firstFilter(pairs)).toBe("flips");
  expect(names(filteredPairs(pairs, "flips"))).toEqual(["s2", "s1"]);
  expect(names(filteredPairs(pairs, "only_a"))).toEqual(["s1"]);
  expect(names(filteredPairs(pairs, "neither"))).toEqual(["s3"]);
});

test("different answers count where no truth is known", () => {
  expect(names(filteredPairs(pairs, "different"))).toEqual(["s2", "s1", "s3", "s4"]);
  expect(firstFilter(pairs.slice(4))).toBe("different");
  expect(firstFilter(pairs.slice(0, 1))).toBe("all");
});

test("each filter says how many it holds", () => {
  expect(counts(pairs)).toEqual({ flips: 2, only_a: 1, only_b: 1, different: 4, neither: 1, both: 1, all: 5 });
});

test("a choice made elsewhere narrows the list", () => {
  expect(names(filteredPairs(pairs, "all", new Set(["s3", "s0"])))).toEqual(["s3", "s0"]);
});

test("unknown classes and probabilities are told as such", () => {
  expect(pairs[4]).toMatchObject({ truth: "", outcome: "unknown" });
  expect(change(pairs[4]!)).toBeNaN();
});

test("keys move within the list and stop at its ends", () => {
  const list = filteredPairs(pairs, "flips");
  expect(neighbour(list, "s2", 1)!.sample).toBe("s1");
  expect(neighbour(list, "s1", 1)!.sample).toBe("s1");
  expect(neighbour(list, "s2", -1)!.sample).toBe("s2");
  expect(neighbour(list, "gone", 1)!.sample).toBe("s2");
  expect(neighbour([], "s2", 1)).toBeUndefined();
});
