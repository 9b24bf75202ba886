// How a figure becomes a file: the bodies of figures offer what they can, the figure's menu asks for it.
import { getContext, setContext } from "svelte";

/** What a body can give. `svg` is the drawing alone, for a white ground, with its size in pixels. */
export interface Drawing {
  svg?: () => Sized;
  png?: () => Promise<Blob>;
}

export interface Sized {
  markup: string;
  width: number;
  height: number;
}

const KEY = Symbol("drawing");

/** Called by a body while it is set up, so that its figure can be saved. */
export function offer(drawing: Drawing): void {
  getContext<((drawing: Drawing) => void) | undefined>(KEY)?.(drawing);
}

/** Called by a figure: `take` gets what its body offers. */
export function takeOffers(take: (drawing: Drawing) => void): void {
  setContext(KEY, take);
}

/** Do something with the colours of a light page, whatever the reader sees; nothing is painted between. */
export function inLight<T>(element: Element, work: () => T): T {
  const tree = element.getRootNode();
  const root = tree instanceof ShadowRoot ? (tree.host as HTMLElement) : document.documentElement;
  const before = root.dataset.theme;
  root.dataset.theme = "light";
  try {
    return work();
  } finally {
    if (before === undefined) delete root.dataset.theme;
    else root.dataset.theme = before;
  }
}

const COPIED = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linejoin", "stroke-linecap",
  "opacity", "font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline", "paint-order", "visibility",
];
const USUAL: Record<string, string> = { "fill-opacity": "1", "stroke-opacity": "1", opacity: "1", "stroke-dasharray": "none", stroke: "none", visibility: "visible", "paint-order": "normal" };

/** A drawing on the page as markup that stands alone: style sheets and variables become attributes.
 *  Elements with `data-screen` (what only helps on screen) are left out. */
export function standalone(svg: SVGSVGElement): Sized {
  return inLight(svg, () => {
    const copy = svg.cloneNode(true) as SVGSVGElement;
    const originals = svg.querySelectorAll<SVGElement>("*");
    copy.querySelectorAll<SVGElement>("*").forEach((element, at) => inline(element, getComputedStyle(originals[at]!)));
    copy.querySelectorAll("[data-screen]").forEach((element) => element.remove());
    inline(copy, getComputedStyle(svg));
    const { width, height } = svg.getBoundingClientRect();
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    if (!copy.hasAttribute("viewBox")) copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
    return { markup: copy.outerHTML, width, height };
  });
}

function inline(element: SVGElement, style: CSSStyleDeclaration): void {
  for (const name of COPIED) {
    const value = style.getPropertyValue(name);
    if (value && value !== USUAL[name]) element.setAttribute(name, value);
  }
  for (const name of ["class", "style", "tabindex", "role"]) element.removeAttribute(name);
}

export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]!);
}

const MARGIN = 24;
const LINE = 18;

/** A drawing under its title, on white, ready for a paper. */
export function framed(drawing: Sized, title: string, caption = ""): Sized {
  const width = drawing.width + 2 * MARGIN;
  const lines = caption ? broken(caption, Math.floor(drawing.width / 6.3)) : [];
  const top = MARGIN + (title ? 26 : 0);
  const height = top + drawing.height + (lines.length ? 10 + lines.length * LINE : 0) + MARGIN;
  const font = 'font-family="system-ui, Segoe UI, Helvetica Neue, Arial, sans-serif"';
  const words = lines.map((line, at) => `<text x="${MARGIN}" y="${top + drawing.height + 22 + at * LINE}" ${font} font-size="12" fill="#55606e">${escaped(line)}</text>`);
  const heading = title ? `<text x="${MARGIN}" y="${MARGIN + 12}" ${font} font-size="16" font-weight="600" fill="#18212c">${escaped(title)}</text>` : "";
  const inner = drawing.markup.replace(/^<svg[^>]*>/, (tag) =>
    tag.replace(/\s(x|y|width|height)="[^"]*"/g, "").replace("<svg", `<svg x="${MARGIN}" y="${top}" width="${drawing.width}" height="${drawing.height}"`),
  );
  const markup = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="100%" height="100%" fill="#fff"/>${heading}${inner}${words.join("")}</svg>`;
  return { markup, width, height };
}

/** Words in lines of at most `most` characters. */
export function broken(text: string, most: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

export function svgFile(drawing: Sized): Blob {
  return new Blob([`<?xml version="1.0" encoding="UTF-8"?>\n${drawing.markup}`], { type: "image/svg+xml" });
}

/** Paint an SVG at twice its size. */
export async function painted(drawing: Sized, scale = 2): Promise<Blob> {
  const url = URL.createObjectURL(svgFile(drawing));
  try {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(drawing.width * scale);
    canvas.height = Math.round(drawing.height * scale);
    canvas.getContext("2d")!.drawImage(picture, 0, 0, canvas.width, canvas.height);
    return await pngOf(canvas);
  } finally {
    URL.revokeObjectURL(url);
  }
}

export function pngOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("This browser could not make a PNG."))), "image/png"));
}

/** Hand a file to the reader. */
export function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000); // browsers read it after the click
}

/** A file's name from a title: letters and digits of any script, joined by hyphens. */
export function fileName(title: string, extension: string): string {
  const name = title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 60);
  return `${name || "figure"}.${extension}`;
}
