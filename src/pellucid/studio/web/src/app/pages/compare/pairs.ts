// Two models on the same samples: what each said, and what became of it from A to B.

export const OUTCOMES = ["only_a", "only_b", "neither", "both", "unknown"] as const;
export type Outcome = (typeof OUTCOMES)[number];
export const FILTERS = ["flips", "only_a", "only_b", "different", "neither", "both", "all"] as const;
export type Filter = (typeof FILTERS)[number];

export interface Side {
  answer: string;
  confidence: number;
  /** Probability of the class that is compared. */
  probability: number;
}

export interface Pair {
  sample: string;
  /** The true class; "" if it is unknown. */
  truth: string;
  /** The class whose probability is compared; "" if there is none. */
  compared: string;
  a: Side;
  b: Side;
  outcome: Outcome;
}

type Numbers = readonly (number | null)[];

/** What a comparison keeps; rows are A and B, classes are places in `labels`, −1 is unknown. */
export interface ComparisonArrays {
  labels: readonly string[];
  samples: readonly string[];
  target: readonly number[];
  compared: readonly number[];
  predicted: readonly (readonly number[])[];
  confidence: readonly Numbers[];
  probability: readonly Numbers[];
  outcome: readonly number[];
}

const CODES: Record<number, Outcome> = { 0: "both", 1: "only_a", 2: "only_b", 3: "neither", [-1]: "unknown" };

export function pairsOf(arrays: ComparisonArrays): Pair[] {
  const side = (row: number, i: number): Side => ({
    answer: arrays.labels[arrays.predicted[row]![i]!] ?? "",
    confidence: arrays.confidence[row]![i] ?? NaN,
    probability: arrays.probability[row]![i] ?? NaN,
  });
  return arrays.samples.map((sample, i) => ({
    sample,
    truth: arrays.labels[arrays.target[i]!] ?? "",
    compared: arrays.labels[arrays.compared[i]!] ?? "",
    a: side(0, i),
    b: side(1, i),
    outcome: CODES[arrays.outcome[i]!] ?? "unknown",
  }));
}

export function change(pair: Pair): number {
  return pair.b.probability - pair.a.probability;
}

function fits(pair: Pair, filter: Filter): boolean {
  switch (filter) {
    case "all":
      return true;
    case "flips":
      return pair.outcome === "only_a" || pair.outcome === "only_b";
    case "different":
      return pair.a.answer !== pair.b.answer;
    default:
      return pair.outcome === filter;
  }
}

/** Pairs that fit, the largest change of probability first; only the `chosen` ones if there are any. */
export function filteredPairs(
  pairs: readonly Pair[],
  filter: Filter,
  chosen: ReadonlySet<string> = new Set(),
): Pair[] {
  const size = (pair: Pair) => Math.abs(change(pair)) || 0;
  return pairs
    .filter((pair) => fits(pair, filter) && (!chosen.size || chosen.has(pair.sample)))
    .sort((a, b) => size(b) - size(a));
}

export function counts(pairs: readonly Pair[]): Record<Filter, number> {
  const found = Object.fromEntries(FILTERS.map((filter) => [filter, 0])) as Record<Filter, number>;
  for (const pair of pairs) for (const filter of FILTERS) if (fits(pair, filter)) found[filter] += 1;
  return found;
}

/** The filter to open with: flips if there are any, else different answers, else all. */
export function firstFilter(pairs: readonly Pair[]): Filter {
  const number = counts(pairs);
  return number.flips ? "flips" : number.different ? "different" : "all";
}

/** The pair `step` places after that of `sample`, staying within the list. */
export function neighbour(pairs: readonly Pair[], sample: string, step: number): Pair | undefined {
  const place = pairs.findIndex((pair) => pair.sample === sample);
  if (place < 0) return pairs[0];
  return pairs[Math.min(pairs.length - 1, Math.max(0, place + step))];
}
