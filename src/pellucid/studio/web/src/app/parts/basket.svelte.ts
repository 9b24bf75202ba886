// What goes into the report: runs and results, in order, with the reader's comments. It lives as
// long as the tab, and survives a reload.

export type Format = "html" | "pdf";

export interface BasketItem {
  kind: "run" | "result";
  id: string;
  title: string;
  /** Places of the views to show; null for all of them. */
  views: number[] | null;
  comment: string;
}

export interface Basket {
  title: string;
  note: string;
  format: Format;
  items: BasketItem[];
}

const KEY = "pellucid-report";

function empty(): Basket {
  return { title: "", note: "", format: "html", items: [] };
}

/** What was kept, as far as it can be understood. */
export function parsed(kept: string | null): Basket {
  if (!kept) return empty();
  let found: Partial<Basket>;
  try {
    found = JSON.parse(kept) as Partial<Basket>;
  } catch {
    return empty();
  }
  return {
    title: typeof found.title === "string" ? found.title : "",
    note: typeof found.note === "string" ? found.note : "",
    format: found.format === "pdf" ? "pdf" : "html",
    items: Array.isArray(found.items) ? found.items.filter(isItem) : [],
  };
}

function isItem(item: unknown): item is BasketItem {
  const { kind, id, title, views, comment } = (item ?? {}) as Partial<BasketItem>;
  const texts = [id, title, comment].every((text) => typeof text === "string");
  const places = views === null || (Array.isArray(views) && views.every(Number.isInteger));
  return (kind === "run" || kind === "result") && texts && places;
}

/** The list with the item at `from` moved to `to`; both are kept within it. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const next = [...list];
  const [item] = next.splice(from, 1);
  if (item !== undefined) next.splice(Math.min(Math.max(to, 0), next.length), 0, item);
  return next;
}

/** Views after one of `count` is ticked or unticked; null once all are in. */
export function toggled(views: readonly number[] | null, index: number, count: number): number[] | null {
  const now = new Set(views ?? Array.from({ length: count }, (_, i) => i));
  if (!now.delete(index)) now.add(index);
  return now.size === count ? null : [...now].sort((a, b) => a - b);
}

function stored(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

const state = $state<Basket>(parsed(stored()));

function changed(): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    return; // nowhere to keep it: it lasts as long as the page
  }
}

type What = Pick<BasketItem, "kind" | "id">;
const same = (one: What, other: What) => one.kind === other.kind && one.id === other.id;

export const basket = {
  get title(): string {
    return state.title;
  },
  set title(title: string) {
    state.title = title;
    changed();
  },
  get note(): string {
    return state.note;
  },
  set note(note: string) {
    state.note = note;
    changed();
  },
  get format(): Format {
    return state.format;
  },
  set format(format: Format) {
    state.format = format;
    changed();
  },
  get items(): readonly BasketItem[] {
    return state.items;
  },
  has(what: What): boolean {
    return state.items.some((item) => same(item, what));
  },
  /** Whether one view of a result is in. */
  hasView(id: string, view: number): boolean {
    const item = state.items.find((each) => same(each, { kind: "result", id }));
    return item !== undefined && (item.views === null || item.views.includes(view));
  },
  /** Puts a run or a result at the end, with all its views; does nothing if it is in already. */
  add(what: What & { title: string }): void {
    if (basket.has(what)) return;
    state.items.push({ ...what, views: null, comment: "" });
    changed();
  },
  /** Puts one view of a result in, beside those of the same result that are in already. */
  addView(what: { id: string; title: string }, view: number): void {
    const item = state.items.find((each) => same(each, { kind: "result", id: what.id }));
    if (!item) state.items.push({ kind: "result", ...what, views: [view], comment: "" });
    else if (item.views && !item.views.includes(view)) item.views = [...item.views, view].sort((a, b) => a - b);
    changed();
  },
  remove(what: What): void {
    state.items = state.items.filter((item) => !same(item, what));
    changed();
  },
  move(from: number, to: number): void {
    state.items = moved(state.items, from, to);
    changed();
  },
  change(index: number, change: Partial<Pick<BasketItem, "comment" | "views">>): void {
    Object.assign(state.items[index]!, change);
    changed();
  },
  clear(): void {
    Object.assign(state, empty());
    changed();
  },
};
