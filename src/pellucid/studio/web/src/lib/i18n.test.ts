import { expect, test } from "vitest";
import { allCatalogues, setLanguage, t } from "./i18n.svelte";

test("both languages have the same words, and the same places for values", () => {
  const { en, zh } = allCatalogues;
  expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join();
  for (const [key, words] of Object.entries(en)) {
    expect(places(zh[key]!), key).toBe(places(words));
    expect(words.trim(), key).not.toBe("");
  }
});

test("a chosen language is used at once", () => {
  setLanguage("zh");
  expect(t("app.name")).toBe("Pellucid");
  expect(document.documentElement.lang).toBe("zh-Hans");
  setLanguage("en");
  expect(t("no.such.key")).toBe("no.such.key");
});
