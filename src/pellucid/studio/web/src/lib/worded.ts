// A view in the language of the page. Only what is shown changes: names by which views and pages
// find things (samples, columns, maps, kinds) stay, and whoever shows them uses `phrase`.
import type { Axis, Bars, Cell, Column, Picture, TableColumn, View } from "./kinds";
import { language } from "./i18n.svelte";
import { phrase, phrases } from "./phrases.svelte";

// Columns and key figures that hold what the user named.
const USERS = new Set([
  "sample", "class", "true class", "explained class", "answer", "first answer", "answer of A", "answer of B", "A", "B",
  "tensor", "layer", "module", "in", "unit", "text", "Strategy", "Changed most", "Matters most",
]);
// Columns of sentences, each for itself: why something is not there.
const REASONS = new Set(["reason", "why", "why it is not there"]);
const LAYER = /^[a-z_][\w.[\]-]*$/;

/** The same view for readers of English; for others one with its words in their language. */
export function worded(view: View): View {
  if (language() === "en") return view;
  return { ...view, ...within(view), title: phrase(view.title), caption: phrase(view.caption) } as View;
}

function within(view: View): Partial<View> {
  switch (view.kind) {
    case "Lines":
      return { x: axis(view.x), y: axis(view.y), series: named(view.series) };
    case "Bars":
      return { categories: beside(view.categories), series: named(view.series), value: axis(view.value) };
    case "Histogram":
      return { x: axis(view.x), y: axis(view.y), counts: counts(view.counts) };
    case "Matrix":
      return { rows: beside(view.rows), columns: beside(view.columns), x: axis(view.x), y: axis(view.y), value: axis(view.value) };
    case "Scatter":
      return { x: axis(view.x), y: axis(view.y), groups: beside(view.groups) };
    case "ImageGrid":
      return { pictures: pictures(view.pictures) };
    case "Overlay":
      return { maps: view.maps.map((map) => ({ ...map, caption: phrase(map.caption) })), probabilities: answers(view.probabilities) };
    case "Tokens":
      return { probabilities: answers(view.probabilities) };
    case "Table":
      return { columns: view.columns.map(column) };
    case "Text":
      return { paragraphs: view.paragraphs.map(phrase) };
    case "Flow":
      return { stage_names: phrases(view.stage_names), value: axis(view.value) };
    case "Surface":
      return { x: axis(view.x), y: axis(view.y), value: axis(view.value) };
    default:
      return {};
  }
}

const axis = (given: Axis): Axis => ({ ...given, label: phrase(given.label), unit: phrase(given.unit) });
const answers = (bars: Bars | null): Bars | null => bars && (worded(bars) as Bars);

/** The value of a key figure. */
export const figureValue = (label: string, value: string): string => (USERS.has(label) ? value : phrase(value));

function named<S extends { name: string }>(series: readonly S[]): S[] {
  const names = series.map((one) => one.name);
  const all = phrases(names);
  const said = all.some((name, at) => name !== names[at]) ? all : names.map((name) => (LAYER.test(name) ? name : phrase(name)));
  return series.map((one, at) => ({ ...one, name: said[at]! }));
}

function counts(given: Map<string, Column>): Map<string, Column> {
  const names = phrases([...given.keys()]);
  return new Map([...given.values()].map((column, at) => [names[at]!, column]));
}

// Words in lower case by themselves may be names of layers.
const beside = (names: string[]): string[] => (names.some((name) => LAYER.test(name)) ? names : phrases(names));

// Labels of samples and labels of what was made hold together, each for themselves.
function pictures(given: readonly Picture[]): Picture[] {
  const said = [true, false].map((sampled) => beside(given.map(({ sample, label }) => (Boolean(sample) === sampled ? label : ""))));
  return given.map((picture, at) => ({ ...picture, label: said[0]![at] || said[1]![at]! }));
}

function column(given: TableColumn): TableColumn {
  if (USERS.has(given.name)) return given;
  if (REASONS.has(given.name)) return { ...given, values: given.values.map((cell) => (typeof cell === "string" ? phrase(cell) : cell)) };
  const words = phrases(given.values.map((cell) => (typeof cell === "string" ? cell : null)));
  return { ...given, values: given.values.map((cell, at): Cell => words[at] ?? cell) };
}
