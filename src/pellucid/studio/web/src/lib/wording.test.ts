import { expect, test } from "vitest";
import python from "../views/fixtures/python.json";
import { formatNumber, formatted, isNumeric, readableTokens, specOf } from "./wording";

test("numbers are written as Python writes them", () => {
  for (const [value, spec, written] of python.words as [number, string, string][]) {
    expect(formatNumber(value, spec), `${value} as "${spec}"`).toBe(written);
  }
});

test("what is missing is a dash, and a spec that is not known is refused", () => {
  expect(formatted(null, ".1%")).toBe("–");
  expect(formatNumber(NaN)).toBe("–");
  expect(formatNumber(-Infinity)).toBe("−∞");
  expect(() => formatNumber(1, ">10")).toThrow('format spec ">10" is unknown');
});

test("a column of whole numbers has no decimals, any other three digits", () => {
  const column = (values: (number | string | null)[]) => ({ name: "", unit: "", format: "", values });
  expect(specOf(column([1, 2, null]))).toBe("d");
  expect(specOf(column([1, 2.5]))).toBe(".3g");
  expect(isNumeric(column([null, null]))).toBe(false);
  expect(isNumeric(column([1, "a"]))).toBe(false);
});

test("tokens lose the marks of their tokenizer", () => {
  for (const [given, expected] of python.tokens as [string[], [string, boolean][]][]) {
    expect(readableTokens(given).map(({ word, apart }) => [word, apart])).toEqual(expected);
  }
});
