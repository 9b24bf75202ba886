// The samples chosen in one view, which all others follow. Samples are named by their id.

const state = $state<{ ids: ReadonlySet<string>; hovered: string; origin: string }>({
  ids: new Set(),
  hovered: "",
  origin: "",
});

export const selection = {
  /** The ids chosen last; empty if nothing is chosen. */
  get ids(): ReadonlySet<string> {
    return state.ids;
  },
  get hovered(): string {
    return state.hovered;
  },
  /** What the selection was made in, for words such as "12 samples from Confusion matrix". */
  get origin(): string {
    return state.origin;
  },
  has(id: string): boolean {
    return state.ids.has(id);
  },
  choose(ids: Iterable<string>, origin = ""): void {
    state.ids = new Set(ids);
    state.origin = state.ids.size ? origin : "";
  },
  toggle(id: string, origin = ""): void {
    const ids = new Set(state.ids);
    if (!ids.delete(id)) ids.add(id);
    selection.choose(ids, origin);
  },
  hover(id: string): void {
    state.hovered = id;
  },
  clear(): void {
    selection.choose([]);
  },
};
