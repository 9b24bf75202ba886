// The filter of the page, as the address holds it.
import { clamp } from "../../asking/strokes";
import { NO_FILTER, ORDERS, SHOWN, type Filter } from "./rows";

export function filterOf(query: URLSearchParams): Filter {
  return {
    truth: query.get("truth") ?? "",
    answer: query.get("answer") ?? "",
    shown: SHOWN.find((each) => each === query.get("show")) ?? NO_FILTER.shown,
    low: share(query.get("low"), 0),
    high: share(query.get("high"), 1),
    order: ORDERS.find((each) => each === query.get("order")) ?? NO_FILTER.order,
  };
}

export function filterInAddress({ truth, answer, shown, low, high, order }: Filter): Record<string, string | null> {
  return {
    truth: truth || null,
    answer: answer || null,
    show: shown === NO_FILTER.shown ? null : shown,
    low: low > 0 ? String(low) : null,
    high: high < 1 ? String(high) : null,
    order: order === NO_FILTER.order ? null : order,
  };
}

function share(text: string | null, otherwise: number): number {
  const value = text ? Number(text) : NaN;
  return Number.isNaN(value) ? otherwise : clamp(value, 0, 1);
}
