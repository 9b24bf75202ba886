// @vitest-environment node
import { allCatalogues } from "$lib/i18n.svelte";
import { expect, test } from "vitest";

const sources = import.meta.glob<string>(["./**/*.svelte", "./**/*.ts", "../lib/*.ts", "!./**/*.test.ts", "!../lib/*.test.ts"], { eager: true, query: "?raw", import: "default" });
const said = Object.values(sources).flatMap((text) => [...text.matchAll(/\bt\("([a-z][\w.-]+)"/g)].map((found) => found[1] ?? ""));

test("all words that the pages ask for are in the catalogue", () => {
  expect(said.length).toBeGreaterThan(100);
  expect([...new Set(said)].filter((key) => !(key in allCatalogues.en))).toEqual([]);
});

test("words that are put together of a prefix and a name exist for some name", () => {
  const prefixes = Object.values(sources).flatMap((text) => [...text.matchAll(/\bt\(`(app\.[\w.]+)\.\$\{/g)].map((found) => found[1] ?? ""));
  const keys = Object.keys(allCatalogues.en);
  expect(prefixes.filter((prefix) => !keys.some((key) => key.startsWith(`${prefix}.`)))).toEqual([]);
});
