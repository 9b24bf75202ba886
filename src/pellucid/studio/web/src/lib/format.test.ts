// @vitest-environment node
import { expect, test } from "vitest";
import { ago, bytes, duration, number, percent } from "./format";
import { setLanguage } from "./i18n.svelte";

test("numbers keep about three digits and a real minus", () => {
  expect(number(0.0412345)).toBe("0.0412");
  expect(number(1204.4)).toBe("1,204");
  expect(number(-2.5)).toBe("−2.5");
  expect(number(0)).toBe("0");
  expect(number(3.2e-7)).toBe("3.20e−7");
  expect(number(null)).toBe("–");
  expect(number(NaN)).toBe("–");
});

test("shares are percentages", () => {
  expect(percent(0.787)).toBe("78.7 %");
  expect(percent(1, 0)).toBe("100 %");
  expect(percent(undefined)).toBe("–");
});

test("sizes and times have units", () => {
  expect(bytes(999)).toBe("999 B");
  expect(bytes(12_400_000)).toBe("12.4 MB");
  expect(duration(0.2)).toBe("less than 1 s");
  expect(duration(200)).toBe("3 min 20 s");
  expect(duration(7500)).toBe("2 h 5 min");
  expect(duration(null)).toBe("–");
});

test("moments are told from now, in the chosen language", () => {
  const now = Date.parse("2026-01-10T12:00:00Z");
  expect(ago("2026-01-10T11:57:00Z", now)).toBe("3 minutes ago");
  expect(ago("2026-01-10T11:59:50Z", now)).toBe("just now");
  expect(ago("2025-12-01T12:00:00Z", now)).toBe("1 Dec 2025");
  expect(ago("never", now)).toBe("–");
  setLanguage("zh");
  expect(ago("2026-01-10T11:57:00Z", now)).toBe("3分钟前");
  setLanguage("en");
});
