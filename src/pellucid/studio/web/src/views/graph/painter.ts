// What a graph's canvas is painted with. All of it is a function of the drawing and of how it looks now.
import type { Drawing } from "./layout";
import { LINE_KINDS } from "./layout";
import { SIGNS, type GraphModel } from "./model";
import type { Palette } from "./palette";

export interface Look {
  palette: Palette;
  eye: { x: number; y: number; scale: number };
  wide: number;
  high: number;
  selected: number;
  hovered: number;
  /** Colour of each item's box, where boxes are coloured by a number. */
  strengths: Float64Array | null;
  byKind: boolean;
  isOpenWhole: (item: number) => boolean;
}

const READABLE = 0.3; // scale below which nothing is written
const WHOLE_LINES = 0.08; // scale below which lines are drawn straight

export class Painter {
  readonly #cut = new Map<string, string>();

  constructor(
    readonly pen: CanvasRenderingContext2D,
    readonly model: GraphModel,
  ) {}

  paint(drawing: Drawing, look: Look): void {
    const { pen } = this;
    const { eye, wide, high } = look;
    pen.textBaseline = "middle";
    const margin = 20;
    const [left, top, right, bottom] = [eye.x - margin, eye.y - margin, eye.x + wide / eye.scale + margin, eye.y + high / eye.scale + margin];
    const { boxes } = drawing;
    const inView: number[] = [];
    for (let at = 0; at < drawing.items.length; at += 1) {
      const [x, y] = [boxes[4 * at]!, boxes[4 * at + 1]!];
      if (x < right && x + boxes[4 * at + 2]! > left && y < bottom && y + boxes[4 * at + 3]! > top) inView.push(at);
    }
    const frames = inView.filter((at) => drawing.open[at]);
    for (const at of frames) this.#frame(drawing, at, look);
    this.#lines(drawing, top, bottom, look);
    for (const at of frames) this.#heading(drawing, at, look);
    for (const at of inView) if (!drawing.open[at]) this.#box(drawing, at, look);
  }

  #lines(drawing: Drawing, top: number, bottom: number, look: Look): void {
    const strong: number[] = [];
    for (let route = 0; route < drawing.kinds.length; route += 1) {
      if (drawing.points[drawing.starts[route]! + 1]! > bottom || drawing.points[drawing.starts[route + 1]! - 1]! < top) continue;
      const isStrong = look.selected >= 0 && (drawing.from[route] === look.selected || drawing.to[route] === look.selected);
      if (isStrong) strong.push(route);
      else this.#line(drawing, route, look, false);
    }
    for (const route of strong) this.#line(drawing, route, look, true);
  }

  #fitted(words: string, font: string, width: number): string {
    const { pen } = this;
    const key = `${font}|${width}|${words}`;
    const found = this.#cut.get(key);
    if (found !== undefined) return found;
    let text = words;
    if (pen.measureText(words).width > width) {
      let [low, high] = [0, words.length];
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (pen.measureText(`${words.slice(0, middle)}…`).width <= width) low = middle;
        else high = middle - 1;
      }
      text = `${words.slice(0, low)}…`;
    }
    this.#cut.set(key, text);
    return text;
  }

  #write(words: string, x: number, y: number, width: number, font: string, colour: string, align: CanvasTextAlign = "center"): void {
    this.pen.font = font;
    this.pen.fillStyle = colour;
    this.pen.textAlign = align;
    this.pen.fillText(this.#fitted(words, font, width), x, y);
  }

  #edge(item: number, look: Look): { colour: string; width: number } {
    const mark = this.model.mark(item);
    if (item === look.selected) return { colour: look.palette.accent, width: 2.5 };
    if (mark) return { colour: look.palette.marks[mark], width: 2 };
    return { colour: item === look.hovered ? look.palette.ink : look.palette.edge, width: item === look.hovered ? 1.5 : 1 };
  }

  #box(drawing: Drawing, at: number, look: Look): void {
    const { pen, model } = this;
    const { palette } = look;
    const item = drawing.items[at]!;
    const [x, y, width, height] = [drawing.boxes[4 * at]!, drawing.boxes[4 * at + 1]!, drawing.boxes[4 * at + 2]!, drawing.boxes[4 * at + 3]!];
    const isSmall = height < 30;
    const edge = this.#edge(item, look);
    pen.fillStyle = fillOf(model, item, look);
    pen.strokeStyle = edge.colour;
    pen.lineWidth = edge.width;
    for (const step of model.isRepeat(item) ? [6, 3, 0] : [0]) {
      pen.beginPath();
      pen.roundRect(x + step, y + step, width, height, isSmall ? height / 2 : 5);
      pen.fill();
      pen.stroke();
    }
    if (look.eye.scale < READABLE) return;
    const mark = model.mark(item);
    const middle = x + width / 2;
    const room = width - (mark ? 34 : 14);
    if (isSmall) {
      const shape = model.shape(item);
      this.#write(shape ? `${model.label(item)}  ${shape}` : model.label(item), middle, y + height / 2, room, `11.5px ${palette.font}`, palette.ink);
    } else {
      this.#write(model.title(item), middle, y + 12.5, room, `600 12px ${palette.font}`, palette.ink);
      this.#write(model.below(item), middle, y + 26, width - 10, `10px ${palette.font}`, look.strengths ? palette.ink : palette.soft);
      this.#meter(item, x, y, width, height, look);
    }
    if (mark) this.#write(SIGNS[mark], x + 10, y + 12.5, 12, `700 14px ${palette.font}`, edge.colour);
  }

  /** The bar at the foot of a box: its share of the whole. */
  #meter(item: number, x: number, y: number, width: number, height: number, { palette }: Look): void {
    const share = this.model.share(item);
    if (share === null) return;
    this.pen.fillStyle = palette.rule;
    this.pen.fillRect(x + 7, y + height - 5, width - 14, 2);
    this.pen.fillStyle = palette.meter;
    this.pen.fillRect(x + 7, y + height - 5, (width - 14) * Math.max(0, Math.min(1, share)), 2);
  }

  #frame(drawing: Drawing, at: number, look: Look): void {
    const { pen, model } = this;
    const item = drawing.items[at]!;
    const edge = this.#edge(item, look);
    pen.beginPath();
    pen.roundRect(drawing.boxes[4 * at]!, drawing.boxes[4 * at + 1]!, drawing.boxes[4 * at + 2]!, drawing.boxes[4 * at + 3]!, 7);
    pen.fillStyle = look.palette.frame;
    pen.fill();
    pen.lineWidth = edge.width;
    pen.strokeStyle = edge.colour;
    pen.setLineDash(model.isRepeat(item) && !look.isOpenWhole(item) ? [5, 3] : []);
    pen.stroke();
    pen.setLineDash([]);
  }

  #heading(drawing: Drawing, at: number, look: Look): void {
    if (look.eye.scale < READABLE) return;
    const { pen, model } = this;
    const { palette } = look;
    const item = drawing.items[at]!;
    const [x, y, width] = [drawing.boxes[4 * at]!, drawing.boxes[4 * at + 1]!, drawing.boxes[4 * at + 2]!];
    const mark = model.mark(item);
    const font = `600 11.5px ${palette.font}`;
    const words = [mark ? SIGNS[mark] : "", "▾", model.title(item), model.times(item) > 1 ? "" : model.type(item)].filter(Boolean).join(" ");
    pen.font = font;
    const said = this.#fitted(words, font, width - 18);
    pen.fillStyle = palette.card;
    pen.globalAlpha = 0.82;
    pen.fillRect(x + 6, y + 5, pen.measureText(said).width + 6, 17);
    pen.globalAlpha = 1;
    this.#write(words, x + 9, y + 13.5, width - 18, font, mark ? palette.marks[mark] : palette.soft, "left");
  }

  #line(drawing: Drawing, route: number, { palette, eye }: Look, isStrong: boolean): void {
    const { pen } = this;
    const { points, starts } = drawing;
    const kind = LINE_KINDS[drawing.kinds[route]!] ?? "data";
    const [first, end] = [starts[route]!, starts[route + 1]!];
    pen.strokeStyle = isStrong ? palette.accent : palette.lines[kind];
    pen.lineWidth = (kind === "data" ? 1.1 : 1.7) + (isStrong ? 1.2 : 0);
    pen.setLineDash(kind === "gate" ? [5, 3] : []);
    pen.beginPath();
    pen.moveTo(points[first]!, points[first + 1]!);
    for (let at = first + 2; at < end; at += 2) {
      const [x0, y0, x1, y1] = [points[at - 2]!, points[at - 1]!, points[at]!, points[at + 1]!];
      const middle = (y0 + y1) / 2;
      if (x0 === x1 || eye.scale < WHOLE_LINES) pen.lineTo(x1, y1);
      else pen.bezierCurveTo(x0, middle, x1, middle, x1, y1);
    }
    pen.stroke();
    pen.setLineDash([]);
    if (!drawing.heads[route] || eye.scale < WHOLE_LINES) return;
    const [x, y] = [points[end - 2]!, points[end - 1]!];
    pen.fillStyle = pen.strokeStyle;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x - 3.5, y - 6);
    pen.lineTo(x + 3.5, y - 6);
    pen.fill();
  }
}

/** The colour of a box. */
export function fillOf(model: GraphModel, item: number, { palette, strengths, byKind }: Pick<Look, "palette" | "strengths" | "byKind">): string {
  if (strengths) {
    const strength = strengths[item] ?? NaN;
    return Number.isNaN(strength) ? palette.ground : palette.shade(strength);
  }
  if (!byKind) {
    const mark = model.mark(item);
    return mark ? palette.tint(palette.marks[mark]) : palette.card;
  }
  return palette.fills[model.kind(item)] ?? palette.card;
}
