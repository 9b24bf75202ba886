// The samples of an evaluation as rows, and which of them are shown in which order.

export interface Row {
  sample: string;
  truth: string;
  answer: string;
  right: boolean;
  /** Probability of the answer, from 0 to 1; NaN where the model gave none. */
  confidence: number;
}

/** What an evaluation keeps of each sample; targets and answers are places in `labels`. */
export interface EvaluationArrays {
  labels: readonly string[];
  samples: readonly string[];
  target: readonly number[];
  predicted: readonly number[];
  confidence: readonly (number | null)[];
}

export const SHOWN = ["wrong", "right", "all"] as const;
export type Shown = (typeof SHOWN)[number];
export const ORDERS = ["surest", "least_sure"] as const;
export type Order = (typeof ORDERS)[number];

export interface Filter {
  truth: string;
  answer: string;
  shown: Shown;
  low: number;
  high: number;
  order: Order;
}

export const NO_FILTER: Filter = { truth: "", answer: "", shown: "wrong", low: 0, high: 1, order: "surest" };

export function rowsOf(arrays: EvaluationArrays): Row[] {
  const { labels, samples, target, predicted, confidence } = arrays;
  return samples.map((sample, i) => ({
    sample,
    truth: labels[target[i]!] ?? String(target[i]),
    answer: labels[predicted[i]!] ?? String(predicted[i]),
    right: target[i] === predicted[i],
    confidence: confidence[i] ?? NaN,
  }));
}

/** Rows that fit the filter, and lie in `chosen` if anything is chosen. */
export function filtered(rows: readonly Row[], filter: Filter, chosen: ReadonlySet<string> = new Set()): Row[] {
  const everything = filter.low <= 0 && filter.high >= 1;
  const fits = (row: Row) =>
    (!chosen.size || chosen.has(row.sample)) &&
    (!filter.truth || row.truth === filter.truth) &&
    (!filter.answer || row.answer === filter.answer) &&
    (filter.shown === "all" || row.right === (filter.shown === "right")) &&
    (everything || (row.confidence >= filter.low && row.confidence <= filter.high));
  const sign = filter.order === "surest" ? -1 : 1;
  return rows.filter(fits).sort((a, b) => sign * (rank(a, sign) - rank(b, sign)));
}

/** Unknown confidence comes last in both orders. */
function rank(row: Row, sign: number): number {
  return Number.isNaN(row.confidence) ? sign * 2 : row.confidence;
}

/** The filter that shows one cell of the confusion matrix. */
export function cellFilter(filter: Filter, truth: string, answer: string): Filter {
  return { ...filter, truth, answer, shown: truth === answer ? "right" : "wrong", low: 0, high: 1 };
}

/** The cell that all of `ids` lie in, if it is one. */
export function commonCell(rows: readonly Row[], ids: ReadonlySet<string>): { truth: string; answer: string } | null {
  let found: Row | null = null;
  for (const row of rows) {
    if (!ids.has(row.sample)) continue;
    if (found && (found.truth !== row.truth || found.answer !== row.answer)) return null;
    found ??= row;
  }
  return found && { truth: found.truth, answer: found.answer };
}

/** Classes with how often they were wrong, the worst first. */
export function classesOf(rows: readonly Row[]): { label: string; total: number; wrong: number }[] {
  const found = new Map<string, { label: string; total: number; wrong: number }>();
  for (const row of rows) {
    const entry = found.get(row.truth) ?? { label: row.truth, total: 0, wrong: 0 };
    entry.total += 1;
    entry.wrong += row.right ? 0 : 1;
    found.set(row.truth, entry);
  }
  return [...found.values()].sort((a, b) => b.wrong / b.total - a.wrong / a.total || b.total - a.total);
}
