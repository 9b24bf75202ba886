// uPlot draws the curves; axes, legend and words around them are the page's own.
import uPlot from "uplot";
import type { Palette } from "../colours";
import { channels } from "../colours";
import type { Range } from "../scales";
import type { Drawn } from "./prepared";

export interface Box {
  width: number;
  height: number;
}

export interface Listeners {
  /** Where the cursor is, in data; null when it has left. */
  read(x: number | null): void;
  zoom(range: Range): void;
  reset(): void;
}

export interface Look {
  logX: boolean;
  logY: boolean;
  /** Charts of one name move their cursors together. */
  sync: string;
}

export const DASHES: (number[] | undefined)[] = [undefined, [6, 3], [2, 2.5], [7, 3, 2, 3]];
const FEW = 30;

/** Dashes tell series apart where their colours come round again. */
export function dashOf(series: { style: string; place: number }, numColours: number): number[] | undefined {
  return series.style === "reference" ? [2, 3] : DASHES[Math.floor(series.place / numColours) % DASHES.length];
}

export function colourOf(series: { place: number }, palette: Palette): string {
  return series.place < 0 ? palette.soft : palette.series[series.place % palette.series.length]!;
}

/** What makes a new plot necessary; anything else is new data for the same one. */
export function shapeOf(series: Drawn[]): string {
  return series.map((one) => [one.style, one.place, !!one.raw, !!one.band, one.main.x.length <= FEW].join()).join(";");
}

/** The curves as uPlot has them: one rising x for all, and each curve with holes where it has no point. */
export function tableOf(series: Drawn[]): uPlot.AlignedData {
  const parts = series.flatMap((one) => partsOf(one));
  if (!parts.length) return [[]];
  return uPlot.join(parts.map((part) => [part.x, part.y] as uPlot.AlignedData));
}

function partsOf(one: Drawn) {
  return [...(one.band ? [one.band.high, one.band.low] : []), ...(one.raw ? [one.raw] : []), one.main];
}

export function plot(target: HTMLElement, series: Drawn[], box: Box, palette: Palette, look: Look, listeners: Listeners): uPlot {
  const bands: uPlot.Band[] = [];
  const described: uPlot.Series[] = [{}];
  const told = new Set<number>(); // whose points are marked at the cursor
  for (const one of series) {
    const colour = colourOf(one, palette);
    if (one.band) {
      bands.push({ series: [described.length, described.length + 1], fill: one.style === "points" ? "transparent" : faint(colour, 0.16) });
      described.push(edge(), edge());
    }
    if (one.raw) described.push({ stroke: faint(colour, 0.28), width: 1, points: { show: false } });
    if (one.style !== "reference") told.add(described.length);
    described.push(curve(one, colour, palette));
  }
  const options: uPlot.Options = {
    ...box,
    padding: [0, 0, 0, 0],
    legend: { show: false },
    axes: [{ show: false }, { show: false }],
    scales: {
      x: { time: false, auto: false, distr: look.logX ? 3 : 1 },
      y: { auto: false, distr: look.logY ? 3 : 1 },
    },
    series: described,
    bands,
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false },
      sync: { key: look.sync, scales: ["x", null] },
      points: { size: (_, at) => (told.has(at) ? 7 : 0) },
      bind: { dblclick: () => () => (listeners.reset(), null) },
    },
    hooks: {
      setCursor: [(u) => listeners.read((u.cursor.left ?? -1) < 0 ? null : u.posToVal(u.cursor.left!, "x"))],
      setSelect: [(u) => chosen(u, listeners)],
      draw: [(u) => whiskers(u, series, palette)],
    },
  };
  return new uPlot(options, tableOf(series), target);
}

function curve(one: Drawn, colour: string, palette: Palette): uPlot.Series {
  const points = one.style === "points";
  const few = one.style === "line" && one.main.x.length <= FEW;
  return {
    stroke: colour,
    width: one.style === "reference" ? 1.3 : 1.8,
    dash: dashOf(one, palette.series.length),
    paths: points ? () => null : one.style === "step" ? uPlot.paths.stepped!({ align: 1 }) : uPlot.paths.linear!(),
    points: { show: points || few, size: points ? 7 : 5, fill: colour, width: 0 },
  };
}

function edge(): uPlot.Series {
  return { width: 0, points: { show: false } };
}

function chosen(u: uPlot, listeners: Listeners): void {
  const { left, width } = u.select;
  if (width < 5) return;
  const range: Range = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  listeners.zoom(range);
}

/** Intervals of single points. */
function whiskers(u: uPlot, series: Drawn[], palette: Palette): void {
  for (const one of series) {
    if (one.style !== "points" || !one.band) continue;
    u.ctx.save();
    u.ctx.strokeStyle = faint(colourOf(one, palette), 0.7);
    u.ctx.lineWidth = devicePixelRatio;
    u.ctx.beginPath();
    one.band.low.x.forEach((x, at) => {
      const ends = [one.band!.low.y[at], one.band!.high.y[at]];
      if (ends[0] == null || ends[1] == null) return;
      u.ctx.moveTo(u.valToPos(x, "x", true), u.valToPos(ends[0], "y", true));
      u.ctx.lineTo(u.valToPos(x, "x", true), u.valToPos(ends[1], "y", true));
    });
    u.ctx.stroke();
    u.ctx.restore();
  }
}

export function faint(colour: string, opacity: number): string {
  return `rgba(${channels(colour).join(", ")}, ${opacity})`;
}
