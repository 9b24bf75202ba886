// Pictures and maps as one picture to keep: side by side with their names, on white.
import type { Pixels } from "$lib/kinds";
import { pngOf } from "../saving";

const SIZE = 448; // pixels of a panel's width
const GAP = 24;
const HEAD = 34;
const FOOT = 26;
const FONT = "system-ui, Segoe UI, Helvetica Neue, Arial, sans-serif";
const CRISP = 96; // pixels; smaller pictures keep their pixels

export interface Panel {
  picture: Pixels | null;
  /** Drawn over the picture, or alone on `ground`. */
  map?: { pixels: ImageData; opacity: number };
  ground?: string;
  name: string;
  below?: string;
}

/** Draws panels in rows of `columns`, under a title. */
export async function composed(panels: readonly Panel[], title: string, columns: number, size = SIZE): Promise<Blob> {
  const shapes = panels.map(({ picture, map }) => (picture ? picture.shape : [map?.pixels.height ?? 1, map?.pixels.width ?? 1]));
  const tallest = Math.max(...shapes.map(([height = 1, width = 1]) => (size * height) / width));
  const across = Math.min(columns, panels.length);
  const rows = Math.ceil(panels.length / across);
  const canvas = document.createElement("canvas");
  const step = tallest + HEAD + FOOT;
  [canvas.width, canvas.height] = [across * (size + GAP) + GAP, Math.ceil(rows * step + GAP + (title ? 44 : 0))];
  const pen = canvas.getContext("2d")!;
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  const top = title ? 44 + GAP / 2 : GAP / 2;
  write(pen, title, GAP, 42, canvas.width - 2 * GAP, `600 26px ${FONT}`, "#18212c");
  for (const [at, panel] of panels.entries()) {
    await draw(pen, panel, GAP + (at % across) * (size + GAP), top + Math.floor(at / across) * step, size, tallest, shapes[at]!);
  }
  return pngOf(canvas);
}

async function draw(pen: CanvasRenderingContext2D, panel: Panel, x: number, y: number, size: number, tallest: number, [height = 1, width = 1]: number[]): Promise<void> {
  const high = Math.min(tallest, (size * height) / width);
  write(pen, panel.name, x, y + 24, size, `600 19px ${FONT}`, "#18212c");
  pen.imageSmoothingEnabled = width >= CRISP;
  pen.imageSmoothingQuality = "high";
  if (panel.ground) {
    pen.fillStyle = panel.ground;
    pen.fillRect(x, y + HEAD, size, high);
  } else if (panel.picture) pen.drawImage(await loaded(panel.picture.url), x, y + HEAD, size, high);
  if (panel.map) {
    const layer = new OffscreenCanvas(panel.map.pixels.width, panel.map.pixels.height);
    layer.getContext("2d")!.putImageData(panel.map.pixels, 0, 0);
    pen.globalAlpha = panel.map.opacity;
    pen.drawImage(layer, x, y + HEAD, size, high);
    pen.globalAlpha = 1;
  }
  if (panel.below) write(pen, panel.below, x, y + HEAD + high + 20, size, `16px ${FONT}`, "#55606e");
}

function write(pen: CanvasRenderingContext2D, words: string, x: number, y: number, room: number, font: string, colour: string): void {
  pen.font = font;
  pen.fillStyle = colour;
  let shown = words;
  while (shown.length > 1 && pen.measureText(shown).width > room) shown = `${shown.slice(0, -2)}…`;
  pen.fillText(shown, x, y);
}

async function loaded(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}
