// Details of a graph come as words ("21.7 M", "2.11 MiB", "289 µs (0.6 %)"); to colour by them, their amounts.
import type { Cell } from "$lib/kinds";

const FACTORS: Record<string, number> = { n: 1e-9, µ: 1e-6, μ: 1e-6, m: 1e-3, k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 };
const BINARY: Record<string, number> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40, P: 2 ** 50 };
const AMOUNT = /^([−-]?[\d,]+(?:\.\d+)?(?:e[+−-]?\d+)?)\s*([nµμmkKMGTP])?(i)?(s|B|FLOPs)?\s*(?:\(.*\))?$/;
const GAPS = new Set(["", "–"]);

/** The number that an entry stands for; NaN where it stands for none. */
export function amountOf(value: Cell): number {
  if (typeof value === "number") return value;
  const found = typeof value === "string" ? AMOUNT.exec(value.trim()) : null;
  if (!found) return NaN;
  const [, digits = "", prefix = "", binary = ""] = found;
  const factor = prefix ? (binary ? (BINARY[prefix] ?? NaN) : FACTORS[prefix]!) : 1;
  return Number(digits.replaceAll(",", "").replaceAll("−", "-")) * factor;
}

/** The amounts of a column, or null if any of its entries is no amount, or all are alike. */
export function amountsOf(values: readonly Cell[]): Float64Array | null {
  const amounts = Float64Array.from(values, amountOf);
  const isGap = (value: Cell) => value === null || (typeof value === "string" && GAPS.has(value));
  const areAll = values.every((value, at) => isGap(value) || (!Number.isNaN(amounts[at]!) || typeof value === "number"));
  const known = new Set([...amounts].filter((amount) => !Number.isNaN(amount)));
  return areAll && known.size > 1 ? amounts : null;
}
