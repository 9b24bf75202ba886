import { expect, test } from "vitest";
import { filterInAddress, filterOf } from "./filters";
import { NO_FILTER, type Filter } from "./rows";

function again(filter: Filter): Filter {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(filterInAddress(filter))) if (value) query.set(key, value);
  return filterOf(query);
}

test("an address brings a filter back; the usual one leaves no trace", () => {
  const filter: Filter = { truth: "a & b", answer: "c", shown: "all", low: 0.25, high: 0.9, order: "least_sure" };
  expect(again(filter)).toEqual(filter);
  expect(Object.values(filterInAddress(NO_FILTER)).every((value) => value === null)).toBe(true);
});

test("nonsense in an address is the usual filter", () => {
  expect(filterOf(new URLSearchParams("show=x&low=abc&high=7&order=1"))).toEqual(NO_FILTER);
});
