// Draws over a picture what the brush hides, about as the model will see it.
import type { Fill } from "./questions.svelte";
import type { Point, Stroke } from "./strokes";

const EDGE = 1.5;
/** A blur as strong as the server's: the picture scaled down to this many pixels and up again. */
const BLURRED_SIDE = 12;

export interface Drawing {
  strokes: readonly Stroke[];
  fill: Fill;
  /** Where the brush is, and its radius; null while it is elsewhere. */
  cursor: { at: Point; radius: number } | null;
  accent: string;
  ground: string;
}

/** Paints `drawing` on a canvas that lies over `picture`; `density` is device pixels per CSS pixel. */
export function drawHidden(canvas: HTMLCanvasElement, picture: HTMLImageElement, drawing: Drawing, density: number): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  if (drawing.strokes.length) {
    const edge = masked(width, height, drawing.strokes, EDGE * density, (paint) => flat(paint, drawing.accent));
    const inside = masked(width, height, drawing.strokes, 0, (paint) => filled(paint, picture, drawing.fill));
    context.drawImage(edge, 0, 0);
    context.drawImage(inside, 0, 0);
  }
  if (drawing.cursor) ring(context, drawing.cursor.at, drawing.cursor.radius * width, drawing, density);
}

function masked(width: number, height: number, strokes: readonly Stroke[], grow: number, paint: (context: CanvasRenderingContext2D) => void): HTMLCanvasElement {
  const layer = Object.assign(document.createElement("canvas"), { width, height });
  const context = layer.getContext("2d")!;
  for (const stroke of strokes) trace(context, stroke, width, height, grow);
  context.globalCompositeOperation = "source-in";
  paint(context);
  return layer;
}

function trace(context: CanvasRenderingContext2D, { points, radius }: Stroke, width: number, height: number, grow: number): void {
  const size = radius * width + grow;
  context.lineWidth = 2 * size;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  const [x, y] = points[0]!;
  context.arc(x * width, y * height, size, 0, 2 * Math.PI);
  context.fill();
  context.beginPath();
  for (const [px, py] of points) context.lineTo(px * width, py * height);
  if (points.length > 1) context.stroke();
}

function flat(context: CanvasRenderingContext2D, colour: string): void {
  context.fillStyle = colour;
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
}

function filled(context: CanvasRenderingContext2D, picture: HTMLImageElement, fill: Fill): void {
  const { width, height } = context.canvas;
  if (fill === "zero" || !picture.naturalWidth) return flat(context, "#000");
  const side = fill === "mean" ? 1 : BLURRED_SIDE;
  const tall = fill === "mean" ? 1 : Math.max(1, Math.round((side * height) / width));
  context.imageSmoothingQuality = "high";
  context.drawImage(shrunk(picture, side, tall), 0, 0, width, height);
}

// Halving again and again averages all pixels; one big step would leave most of them out.
function shrunk(picture: HTMLImageElement, width: number, height: number): HTMLCanvasElement {
  let source: CanvasImageSource = picture;
  let [w, h] = [picture.naturalWidth, picture.naturalHeight];
  let layer: HTMLCanvasElement;
  do {
    [w, h] = [Math.max(width, Math.ceil(w / 2)), Math.max(height, Math.ceil(h / 2))];
    layer = Object.assign(document.createElement("canvas"), { width: w, height: h });
    layer.getContext("2d")!.drawImage(source, 0, 0, w, h);
    source = layer;
  } while (w > width || h > height);
  return layer;
}

function ring(context: CanvasRenderingContext2D, [x, y]: Point, radius: number, colours: Pick<Drawing, "accent" | "ground">, density: number): void {
  for (const [colour, line] of [[colours.ground, 3.5], [colours.accent, 1.5]] as const) {
    context.strokeStyle = colour;
    context.lineWidth = line * density;
    context.beginPath();
    context.arc(x * context.canvas.width, y * context.canvas.height, Math.max(radius, 2), 0, 2 * Math.PI);
    context.stroke();
  }
}
