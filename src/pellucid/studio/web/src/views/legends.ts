// Legends of saved drawings.
import type { Entry } from "./parts/Legend.svelte";
import { escaped, inLight, standalone, type Sized } from "./saving";
import { paletteAt, type Palette } from "./colours";
import { shorten } from "$lib/numbers";

const ROW = 20;
const FONT = 'font-family="system-ui, Segoe UI, Helvetica Neue, Arial, sans-serif" font-size="12" fill="#18212c"';

/** A drawing on the page with its legend above, and what is painted on a canvas as markup within. */
export function withLegend(svg: SVGSVGElement, entries: Entry[], marks: (palette: Palette) => string = () => ""): Sized {
  const drawing = standalone(svg);
  const { palette, painted } = inLight(svg, () => {
    const found = paletteAt(svg);
    return { palette: found, painted: marks(found) };
  });
  const legend = rows(entries, drawing.width, palette);
  const inner = drawing.markup
    .replace(/^<svg[^>]*>/, (tag) => tag.replace(/\s(x|y|width|height)="[^"]*"/g, "").replace("<svg", `<svg y="${legend.height}" width="${drawing.width}" height="${drawing.height}"`))
    .replace(/<\/svg>$/, `${painted}</svg>`);
  const height = drawing.height + legend.height;
  return { markup: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${drawing.width} ${height}">${legend.markup}${inner}</svg>`, width: drawing.width, height };
}

function rows(entries: Entry[], width: number, palette: Palette): { markup: string; height: number } {
  let [x, y] = [0, 12];
  const parts = entries.map((entry) => {
    const name = shorten(entry.name || "–", 48);
    const room = 24 + widthOf(name) + 18;
    if (x > 0 && x + room > width) [x, y] = [0, y + ROW];
    const colour = resolved(entry.colour, palette);
    const part = `<g transform="translate(${x} ${y})">${key(entry, colour)}<text x="24" y="4" ${FONT}>${escaped(name)}</text></g>`;
    x += room;
    return part;
  });
  return { markup: parts.join(""), height: entries.length ? y + 18 : 0 };
}

function key(entry: Entry, colour: string): string {
  if (entry.mark === "square") return `<rect x="3" y="-5" width="11" height="10" rx="2" fill="${colour}"/>`;
  if (entry.mark === "dot") return `<circle cx="9" cy="0" r="4" fill="${colour}"/>`;
  if (entry.mark === "ring") return `<circle cx="9" cy="0" r="3.4" fill="none" stroke="${colour}" stroke-width="1.8"/>`;
  const dash = { dashed: ' stroke-dasharray="5 3"', dotted: ' stroke-dasharray="2 2.5"' }[entry.mark as string] ?? "";
  return `<path d="M0 0h18" stroke="${colour}" stroke-width="2"${dash}/>`;
}

function resolved(colour: string, palette: Palette): string {
  const at = colour.match(/--c(\d)/)?.[1];
  if (at) return palette.series[Number(at) - 1]!;
  return colour.includes("--soft") ? palette.soft : colour;
}

// Wide signs, such as Chinese ones, need twice the room.
function widthOf(text: string): number {
  return [...text].reduce((sum, sign) => sum + (sign.codePointAt(0)! > 0x2e80 ? 12.5 : 6.8), 0);
}
