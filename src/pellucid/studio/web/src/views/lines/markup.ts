// The same curves as SVG, for a file.
import type { Palette } from "../colours";
import type { Scale } from "../scales";
import { colourOf, dashOf } from "./plot";
import type { Drawn } from "./prepared";
import type { Thinned } from "../curves";

export function curvesMarkup(series: Drawn[], x: Scale, y: Scale, palette: Palette): string {
  const [left, right, top, bottom] = [Math.min(...x.range), Math.max(...x.range), Math.min(...y.range), Math.max(...y.range)];
  const clip = `<clipPath id="plot"><rect x="${left}" y="${top - 4}" width="${right - left}" height="${bottom - top + 8}"/></clipPath>`;
  return `${clip}<g clip-path="url(#plot)">${series.map((one) => curveMarkup(one, x, y, palette)).join("")}</g>`;
}

function curveMarkup(one: Drawn, x: Scale, y: Scale, palette: Palette): string {
  const colour = colourOf(one, palette);
  const dash = dashOf(one, palette.series.length);
  const parts: string[] = [];
  if (one.band) parts.push(bandMarkup(one, x, y, colour));
  if (one.raw) parts.push(`<path d="${path(one.raw, x, y)}" fill="none" stroke="${colour}" stroke-opacity="0.28"/>`);
  if (one.style === "points") parts.push(dots(one.main, x, y, colour, 3.5));
  else {
    const thick = one.style === "reference" ? 1.3 : 1.8;
    parts.push(`<path d="${path(one.main, x, y, one.style === "step")}" fill="none" stroke="${colour}" stroke-width="${thick}" stroke-linejoin="round"${dash ? ` stroke-dasharray="${dash.join(" ")}"` : ""}/>`);
    if (one.style === "line" && one.main.x.length <= 30) parts.push(dots(one.main, x, y, colour, 2.5));
  }
  return parts.join("");
}

/** A path through the points, broken where a value is missing. */
export function path(points: Thinned, x: Scale, y: Scale, stepped = false): string {
  let command = "M";
  let text = "";
  points.y.forEach((value, at) => {
    if (value === null) {
      command = "M";
      return;
    }
    const [across, down] = [x(points.x[at]!).toFixed(1), y(value).toFixed(1)];
    text += stepped && command === "L" ? `H${across}V${down}` : `${command}${across} ${down}`;
    command = "L";
  });
  return text;
}

function bandMarkup(one: Drawn, x: Scale, y: Scale, colour: string): string {
  const { low, high } = one.band!;
  if (one.style === "points") {
    const lines = low.x.map((at, i) => (low.y[i] == null || high.y[i] == null ? "" : `M${x(at).toFixed(1)} ${y(low.y[i]!).toFixed(1)}V${y(high.y[i]!).toFixed(1)}`));
    return `<path d="${lines.join("")}" stroke="${colour}" stroke-opacity="0.7"/>`;
  }
  const back = { x: [...low.x].reverse(), y: [...low.y].reverse() };
  return `<path d="${path(high, x, y)}${path(back, x, y).replace("M", "L")}Z" fill="${colour}" fill-opacity="0.16"/>`;
}

function dots(points: Thinned, x: Scale, y: Scale, colour: string, radius: number): string {
  return points.y.map((value, at) => (value === null ? "" : `<circle cx="${x(points.x[at]!).toFixed(1)}" cy="${y(value).toFixed(1)}" r="${radius}" fill="${colour}"/>`)).join("");
}
