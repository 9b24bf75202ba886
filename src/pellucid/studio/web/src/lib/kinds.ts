// The vocabulary of views, as pellucid/views/kinds.py has it. Arrays come with their shape.

export type Numbers = Float64Array | Float32Array | Int32Array | Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array;

/** An array of numbers in row-major order. */
export interface Column {
  data: Numbers;
  shape: number[];
}

/** A picture as a file of its own, ready for `src`; it was `shape` (y, x, 3) pixels. */
export interface Pixels {
  url: string;
  shape: number[];
}

export interface Axis {
  label: string;
  unit: string;
  scale: "linear" | "log";
  limits: [number, number] | null;
}

export interface Series {
  name: string;
  x: Column;
  y: Column;
  low: Column | null;
  high: Column | null;
  style: "line" | "points" | "step" | "reference";
}

export interface BarSeries {
  name: string;
  values: Column;
  low: Column | null;
  high: Column | null;
}

export type Tone = "neutral" | "good" | "bad";

export interface Picture {
  pixels: Pixels;
  sample: string;
  label: string;
  tone: Tone;
}

export interface Heatmap {
  name: string;
  values: Column;
  limit: number;
  signed: boolean;
  caption: string;
}

export type Cell = string | number | boolean | null;

export interface TableColumn {
  name: string;
  values: Cell[];
  format: string;
  unit: string;
}

interface Titled {
  title: string;
  caption: string;
}

export interface Lines extends Titled {
  kind: "Lines";
  series: Series[];
  x: Axis;
  y: Axis;
}

export interface Bars extends Titled {
  kind: "Bars";
  categories: string[];
  series: BarSeries[];
  value: Axis;
  horizontal: boolean;
}

export interface Histogram extends Titled {
  kind: "Histogram";
  edges: Column;
  counts: Map<string, Column>;
  x: Axis;
  y: Axis;
}

export interface Matrix extends Titled {
  kind: "Matrix";
  values: Column;
  rows: string[];
  columns: string[];
  x: Axis;
  y: Axis;
  value: Axis;
  format: string;
  signed: boolean;
  /** Ids of the samples behind a cell, by "row,column". */
  members: Map<string, string[]>;
}

export interface Scatter extends Titled {
  kind: "Scatter";
  x_values: Column;
  y_values: Column;
  samples: string[];
  x: Axis;
  y: Axis;
  groups: string[];
}

export interface ImageGrid extends Titled {
  kind: "ImageGrid";
  pictures: Picture[];
}

export interface Overlay extends Titled {
  kind: "Overlay";
  picture: Picture;
  maps: Heatmap[];
  probabilities: Bars | null;
}

export interface Tokens extends Titled {
  kind: "Tokens";
  tokens: string[];
  values: Column;
  limit: number;
  special: boolean[];
  signed: boolean;
  sample: string;
  probabilities: Bars | null;
}

export interface Table extends Titled {
  kind: "Table";
  columns: TableColumn[];
}

export interface Text extends Titled {
  kind: "Text";
  paragraphs: string[];
}

export interface Graph extends Titled {
  kind: "Graph";
  labels: string[];
  types: string[];
  kinds: string[];
  parents: Column;
  times: Column;
  sources: Column;
  targets: Column;
  edge_kinds: string[];
  details: TableColumn[];
  shares: Column | null;
  share_of: string;
  marks: string[];
  opened: number[];
}

/** Amounts that flow from stage to stage: a Sankey diagram, such as a decision path. */
export interface Flow extends Titled {
  kind: "Flow";
  /** Name of each node, and the stage (0, 1, …) that it stands in. */
  nodes: string[];
  stages: Column;
  stage_names: string[];
  sources: Column;
  targets: Column;
  values: Column;
  value: Axis;
  /** Ids of the samples behind a link, by its position. */
  members: Map<string, string[]>;
}

/** Heights over a grid, such as a loss landscape; shown in relief or as contours. */
export interface Surface extends Titled {
  kind: "Surface";
  /** (rows, columns), rows along y. */
  values: Column;
  x_values: Column;
  y_values: Column;
  x: Axis;
  y: Axis;
  value: Axis;
  /** A path over the surface, such as a training's: (points,) each. */
  path_x: Column | null;
  path_y: Column | null;
}

export type View =
  | Lines | Bars | Histogram | Matrix | Scatter | ImageGrid | Overlay | Tokens | Table | Text | Graph | Flow | Surface;

export type ViewKind = View["kind"];
