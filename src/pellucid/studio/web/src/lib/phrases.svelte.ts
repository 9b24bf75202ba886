// Words that results bring along, made in English by Python, in the language of the page.
//
// They are looked up by their English text in phrases/LANGUAGE/*.json. A phrase may hold places:
// `{name}` stands for any words within a sentence, `{#name}` for a number, `{+name}` for another
// phrase, `{*name}` for a list ("cat, dog and 3 more"), `{was|were}` for one of several spellings.
// Its translation calls them plainly `{name}`. tests/studio/phrases.py reads the same files alike.
// phrases/LANGUAGE/errors/ holds what only the studio says; it asks for them by `morePhrases`.
import { language, type Language } from "./i18n.svelte";

interface Template {
  pattern: RegExp;
  /** Its own words at both ends and the longest between, by which most texts are told not to fit without the pattern. */
  own: { first: string; longest: string; last: string };
  places: { name: string; sort: string }[];
  words: string;
}

interface Catalogue {
  exact: Map<string, string>;
  templates: Template[];
}

const PLACE = /\{([^{}]+)\}/;
const NAMED = /^([#+*]?)(\w+)$/;
const PATTERNS: Record<string, string> = {
  "": "(?:(?![.!?] ).)+?",
  "*": "(?:(?![.!?] ).)+?",
  "+": ".+?",
  "#": "(?:[<>]?[+−-]?[\\d.,]+(?:e[+−-]?\\d+)?(?:–[\\d.,]+)?(?: ?%)?|–|−?∞)",
};
const LINE = /\S.*/g;
const SENTENCES = /(?<=[.!?]) /;
const UNBROKEN = "\u00a0"; // reports keep a number and its unit on one line
const LISTED = /, | and (?=[^,]*$)/;
const MORE = /^[\d,]+ more$/;

type Source = () => Promise<{ default: Record<string, string> }>;
const SOURCES: Partial<Record<Language, Source[]>> = { zh: [() => import("../phrases/zh")] };
const asked = new Map<Language, Promise<void>>();
let read = $state.raw<ReadonlyMap<Language, Catalogue>>(new Map());

/** Have more phrases fetched with the others. */
export function morePhrases(code: Language, source: Source): void {
  SOURCES[code] = [...(SOURCES[code] ?? []), source];
  asked.delete(code);
}

/** `text` in the language of the page: as a whole, else line by line and sentence by sentence; what is not known stays. */
export function phrase(text: string): string {
  const plain = text.replaceAll(UNBROKEN, " ");
  const said = known(plain) ?? plain.replace(LINE, bySentence);
  return said === plain ? text : said;
}

/** Names that stand beside each other: translated where all of them are phrases, else left alone, as they are the user's. */
export function phrases<N extends string | null>(names: readonly N[]): N[] {
  const said = new Map<N, N>();
  for (const name of new Set(names)) {
    const words = name && isWords(name) ? known(name) : name;
    if (words === null && name !== null) return [...names];
    said.set(name, words as N);
  }
  return names.map((name) => said.get(name)!);
}

/** Fetch the phrases of the page's language, if they are not here; texts change once they are. */
export function fetchPhrases(code: Language = language()): Promise<void> {
  const sources = SOURCES[code];
  if (!sources) return Promise.resolve();
  if (!asked.has(code)) {
    const fetched = Promise.all(sources.map((source) => source())).then((found) => {
      const words = Object.assign({}, ...found.map((module) => module.default)) as Record<string, string>;
      read = new Map([...read, [code, catalogueOf(words)]]);
    });
    fetched.catch(() => asked.delete(code)); // a lost connection may come back
    asked.set(code, fetched);
  }
  return asked.get(code)!;
}

function catalogue(): Catalogue | null {
  const code = language();
  if (!read.has(code)) void fetchPhrases(code).catch(() => undefined); // English stays meanwhile
  return read.get(code) ?? null;
}

function catalogueOf(words: Record<string, string>): Catalogue {
  const entries = Object.entries(words);
  const templates = entries.filter(([key]) => PLACE.test(key)).sort(([one], [other]) => literal(other) - literal(one) || strict(other) - strict(one));
  return { exact: new Map(entries), templates: templates.map(([key, said]) => templateOf(key, said)) };
}

function templateOf(key: string, words: string): Template {
  const parts = key.split(PLACE);
  const source = parts.map((part, at) => (at % 2 ? placeOf(part) : escaped(part))).join("");
  const places = parts.filter((part, at) => at % 2 && !part.includes("|")).map((part) => {
    const [, sort = "", name = ""] = NAMED.exec(part)!;
    return { name, sort };
  });
  const longest = parts.filter((_, at) => at % 2 === 0).reduce((one, other) => (other.length > one.length ? other : one));
  return { pattern: new RegExp(`^${source}$`, "u"), own: { first: parts[0]!, longest, last: parts.at(-1)! }, places, words };
}

function placeOf(part: string): string {
  if (part.includes("|")) return `(?:${part.split("|").map(escaped).join("|")})`;
  const [, sort = "", name = ""] = NAMED.exec(part)!;
  return `(?<${name}>${PATTERNS[sort]})`;
}

const literal = (key: string) => key.replace(/\{[^{}]+\}/g, "").length;
const strict = (key: string) => key.split("{+").length;
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const isWords = (text: string) => /\p{L}{2}/u.test(text);

function known(text: string): string | null {
  const words = catalogue();
  if (!words || !text) return text;
  const exact = words.exact.get(text);
  if (exact !== undefined) return exact;
  for (const template of words.templates) {
    const said = filled(template, text);
    if (said !== null) return said;
  }
  return null;
}

function filled({ pattern, own, places, words }: Template, text: string): string | null {
  if (!text.startsWith(own.first) || !text.endsWith(own.last) || !text.includes(own.longest)) return null;
  const found = pattern.exec(text)?.groups;
  if (!found) return null;
  const values: Record<string, string> = {};
  for (const { name, sort } of places) {
    const value = found[name]!;
    const said = sort === "+" ? known(value) : sort === "*" ? listed(value) : value;
    if (said === null) return null;
    values[name] = said;
  }
  return words.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "");
}

function listed(text: string): string {
  const names = text.split(LISTED);
  const more = MORE.test(names.at(-1)!) ? names.splice(-1) : [];
  return [...phrases(names), ...phrases(more)].join("、");
}

// A caption is put together of phrases of one or more sentences, of which the longest counts.
function bySentence(text: string): string {
  const sentences = text.split(SENTENCES);
  let said = "";
  for (let from = 0; from < sentences.length; ) {
    let to = sentences.length;
    let part: string | null = null;
    while (part === null && to > from) part = known(sentences.slice(from, to--).join(" "));
    const next = part === null ? from + 1 : to + 1;
    part ??= sentences[from]!;
    said += (said && !/[。！？]$/.test(said) ? " " : "") + part;
    from = next;
  }
  return said;
}
