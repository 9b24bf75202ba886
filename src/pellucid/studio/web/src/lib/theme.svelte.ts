// Light or dark: the reader's choice, or else the system's.
import { keep, readKept } from "./i18n.svelte";

export type Theme = "light" | "dark";
const KEY = "pellucid-theme";
const system = typeof matchMedia === "undefined" ? null : matchMedia("(prefers-color-scheme: dark)");

function read(): Theme | null {
  const kept = readKept(KEY);
  return kept === "light" || kept === "dark" ? kept : null;
}

const state = $state({ chosen: read(), systemDark: system?.matches ?? false });
system?.addEventListener("change", (event) => (state.systemDark = event.matches));

export function theme(): Theme {
  return state.chosen ?? (state.systemDark ? "dark" : "light");
}

export function setTheme(chosen: Theme): void {
  state.chosen = chosen;
  keep(KEY, chosen);
  document.documentElement.dataset.theme = chosen;
}

/** Draw in a theme that the surroundings set, which is not the reader's choice for other pages. */
export function showTheme(shown: Theme): void {
  state.chosen = shown;
}

export function startTheme(): void {
  if (state.chosen) document.documentElement.dataset.theme = state.chosen;
}
