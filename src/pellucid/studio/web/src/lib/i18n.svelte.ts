// Words of the page: one catalogue per area and language, in messages/AREA/LANGUAGE.json.

export const LANGUAGES = { en: "English", zh: "中文" } as const;
export type Language = keyof typeof LANGUAGES;

const files = import.meta.glob<Record<string, string>>("../messages/*/*.json", { eager: true, import: "default" });

const catalogues: Record<Language, Record<string, string>> = { en: {}, zh: {} };
for (const [path, words] of Object.entries(files)) {
  const language = path.match(/\/(en|zh)\.json$/)?.[1] as Language | undefined;
  if (language) Object.assign(catalogues[language], words);
}

const KEY = "pellucid-language";

function preferred(): Language {
  const kept = readKept(KEY);
  if (kept === "en" || kept === "zh") return kept;
  const asked = typeof navigator === "undefined" ? "en" : navigator.language;
  return asked.toLowerCase().startsWith("zh") ? "zh" : "en";
}

const state = $state({ language: preferred() });

export function language(): Language {
  return state.language;
}

export function setLanguage(chosen: Language): void {
  state.language = chosen;
  keep(KEY, chosen);
  if (typeof document !== "undefined") document.documentElement.lang = chosen === "zh" ? "zh-Hans" : "en";
}

/** The words for `key` in the chosen language; `{name}` is replaced by a value.
 *  `key` is tried as `key.one` first where `count` is 1. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  const words = catalogues[state.language];
  const found = (values.count === 1 ? words[`${key}.one`] : undefined) ?? words[key] ?? catalogues.en[key] ?? key;
  return found.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? formatted(values[name]!) : whole));
}

function formatted(value: string | number): string {
  return typeof value === "number" ? value.toLocaleString(state.language) : value;
}

// A page in a sandbox has nowhere to keep a choice; it then lasts as long as the page.
export function readKept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    return;
  }
}

export const allCatalogues = catalogues;
