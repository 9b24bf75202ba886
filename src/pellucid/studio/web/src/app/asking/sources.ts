// Where the input comes from that a model is asked about: an upload, a text, a sample of a data
// set, or a sample that a result names. The address holds it, so that a copied address asks again.
import { api } from "$lib/api";
import type { Input, SampleItem } from "$lib/schemas";

export type Source =
  | { from: "upload"; id: string }
  | { from: "text"; text: string }
  | { from: "data"; data: string; split: string; position: number }
  | { from: "result"; result: string; sample: string };

export const LONGEST_TEXT = 20_000;
const LONGEST_IN_ADDRESS = 4_000;
const KEY = "pellucid-text";

/** A sample of a result, as the server finds it in the data that the result was made from. */
export interface FoundSample extends SampleItem {
  data: string;
  split: string | null;
}

export const SOURCE_KEYS = ["input", "text", "data", "split", "position", "result", "sample"] as const;
type Keys = Record<(typeof SOURCE_KEYS)[number], string | null>;

export function sourceOf(query: URLSearchParams): Source | null {
  const text = query.get("text");
  if (text !== null) return { from: "text", text: text === "kept" ? keptText() : text.slice(1) };
  const [input, data, result, sample] = ["input", "data", "result", "sample"].map((key) => query.get(key));
  if (input) return { from: "upload", id: input };
  if (result && sample) return { from: "result", result, sample };
  const position = Number(query.get("position") ?? NaN);
  if (data && Number.isInteger(position)) return { from: "data", data, split: query.get("split") ?? "", position };
  return null;
}

/** What the address holds of a source; keys of other sources are emptied. */
export function inAddress(source: Source | null): Keys {
  const keys = Object.fromEntries(SOURCE_KEYS.map((key) => [key, null])) as Keys;
  switch (source?.from) {
    case "upload":
      return { ...keys, input: source.id };
    case "text":
      if (source.text.length <= LONGEST_IN_ADDRESS) return { ...keys, text: `.${source.text}` };
      keepText(source.text);
      return { ...keys, text: "kept" };
    case "data":
      return { ...keys, data: source.data, split: source.split, position: String(source.position) };
    case "result":
      return { ...keys, result: source.result, sample: source.sample };
  }
  return keys;
}

/** Puts the source before the server, which gives it an id to ask about. */
export async function opened(source: Source, signal?: AbortSignal): Promise<Input> {
  switch (source.from) {
    case "upload":
      return api.get<Input>(`/inputs/${source.id}`, { signal });
    case "text":
      return api.post<Input>("/inputs", { text: source.text }, { signal });
    case "data": {
      const { data, split, position } = source;
      return api.post<Input>("/inputs", { data, split: split || null, position }, { signal });
    }
    case "result": {
      const query = { result: source.result, sample: source.sample };
      const found = await api.get<FoundSample>("/samples", { query, signal });
      const { data, split, position } = found;
      return api.post<Input>("/inputs", { data, split: split || null, position }, { signal });
    }
  }
}

export function uploaded(file: File, onprogress?: (share: number) => void, signal?: AbortSignal): Promise<Input> {
  const form = new FormData();
  form.append("files", file, file.name || "picture.png");
  return api.upload<Input>("/inputs", form, onprogress, signal);
}

// A text too long for an address lasts as long as the tab.
function keepText(text: string): void {
  try {
    sessionStorage.setItem(KEY, text);
  } catch {
    return;
  }
}

function keptText(): string {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}
