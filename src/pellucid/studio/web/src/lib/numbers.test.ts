import { expect, test } from "vitest";
import { formatted, quantity, shorten } from "./numbers";

const share = { label: "accuracy", unit: "", scale: "linear", limits: [0, 1] } as const;
const seconds = { label: "time", unit: "s", scale: "linear", limits: null } as const;

test.each([
  [0.5, ".1%", "50.0%"], [1234, ",d", "1,234"], [0.5, ".3g", "0.5"], [123456, ".3g", "1.23e+05"], [0.00001234, ".3g", "1.23e−05"],
  [-2, "", "−2"], [NaN, "", "–"], [null, "", "–"], [-Infinity, "", "−∞"], ["cat", ".2f", "cat"], [true, "", "true"], [2.5, ".0f", "2"],
])("%s by '%s' is %s", (value, spec, text) => expect(formatted(value, spec)).toBe(text));

test("quantities carry their unit, shares are percentages", () => {
  expect(quantity(0.785, { ...share, limits: [0, 1] })).toBe("78 %");
  expect(quantity(0.004, { ...share, limits: [0, 1] })).toBe("0.4 %");
  expect(quantity(0.996, { ...share, limits: [0, 1] })).toBe("99.6 %");
  expect(quantity(1.23456, { ...seconds })).toBe("1.235 s");
  expect(quantity(12345, { ...seconds })).toBe("12,345 s");
});

test("long words are cut", () => expect(shorten("a long label", 7)).toBe("a long…"));
