// How all heat maps of the page are shown: chosen once, kept, and readable from a URL.
import { keep, readKept } from "$lib/i18n.svelte";
import { SIGNED_MAPS, UNSIGNED_MAPS, type ColourMap, type SignedMap, type UnsignedMap } from "./colours";

export const MODES = ["over", "alone", "picture"] as const;
export type Mode = (typeof MODES)[number];

export interface MapChoice {
  mode: Mode;
  /** How opaque a map is over its picture, 0 to 1. */
  opacity: number;
  /** Share of the limit below which nothing is drawn, 0 to 1. */
  threshold: number;
  signed: SignedMap;
  unsigned: UnsignedMap;
}

export const DEFAULTS: Readonly<MapChoice> = { mode: "over", opacity: 0.75, threshold: 0, signed: "RdBu_r", unsigned: "inferno" };
const KEY = "pellucid-maps";
const NAMES = { mode: "map", opacity: "opacity", threshold: "threshold", signed: "signed", unsigned: "colours" } as const;

const state = $state<MapChoice>({ ...DEFAULTS, ...parsed(new URLSearchParams(readKept(KEY) ?? "")) });

/** What a query says on maps; whatever it says wrongly is left out. */
export function parsed(query: URLSearchParams): Partial<MapChoice> {
  const found: Partial<MapChoice> = {};
  const mode = MODES.find((each) => each === query.get(NAMES.mode));
  const signed = SIGNED_MAPS.find((each) => each === query.get(NAMES.signed));
  const unsigned = UNSIGNED_MAPS.find((each) => each === query.get(NAMES.unsigned));
  const opacity = share(query.get(NAMES.opacity));
  const threshold = share(query.get(NAMES.threshold));
  if (mode) found.mode = mode;
  if (signed) found.signed = signed;
  if (unsigned) found.unsigned = unsigned;
  if (opacity !== null) found.opacity = opacity;
  if (threshold !== null) found.threshold = threshold;
  return found;
}

function share(text: string | null): number | null {
  const value = text === null || text.trim() === "" ? NaN : Number(text);
  return value >= 0 && value <= 1 ? value : null;
}

/** What differs from the defaults, for a URL. */
export function written(choice: MapChoice): Record<string, string> {
  const parts = Object.entries(NAMES) as [keyof MapChoice, string][];
  return Object.fromEntries(parts.filter(([key]) => choice[key] !== DEFAULTS[key]).map(([key, name]) => [name, String(choice[key])]));
}

export const maps = {
  get choice(): Readonly<MapChoice> {
    return state;
  },
  /** Changes what is given, for every map on the page, and keeps it. */
  set(change: Partial<MapChoice>): void {
    Object.assign(state, change);
    keep(KEY, new URLSearchParams(written(state)).toString());
  },
  /** Takes the choice from a URL's query; what it does not name has its default. */
  read(query: URLSearchParams): void {
    Object.assign(state, DEFAULTS, parsed(query));
  },
  /** What a page adds to its URL so that a copy of it shows the maps alike. */
  query(): Record<string, string> {
    return written(state);
  },
  colours(isSigned: boolean): ColourMap {
    return isSigned ? state.signed : state.unsigned;
  },
};
