// A graph as a drawing that stands alone, with what is open on the page.
import { escaped, type Sized } from "../saving";
import { LINE_KINDS, type Drawing } from "./layout";
import { SIGNS, type GraphModel } from "./model";
import { fillOf, type Look } from "./painter";

type Paints = Pick<Look, "palette" | "strengths" | "byKind">;
const LETTER = 6.3; // pixels of a letter at 12 pixels

export function graphSvg(drawing: Drawing, model: GraphModel, paints: Paints): Sized {
  const parts = [...frames(drawing, model, paints), ...lines(drawing, paints), ...boxes(drawing, model, paints)];
  const [width, height] = [Math.ceil(drawing.width), Math.ceil(drawing.height)];
  const font = 'font-family="system-ui, Segoe UI, Helvetica Neue, Arial, sans-serif"';
  return { markup: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${font}>${parts.join("")}</svg>`, width, height };
}

const box = (drawing: Drawing, at: number) => [...drawing.boxes.subarray(4 * at, 4 * at + 4)].map((value) => Number(value.toFixed(1))) as [number, number, number, number];

function edge(model: GraphModel, item: number, { palette }: Paints): string {
  const mark = model.mark(item);
  return mark ? `stroke="${palette.marks[mark]}" stroke-width="2"` : `stroke="${palette.edge}"`;
}

function* frames(drawing: Drawing, model: GraphModel, paints: Paints): Generator<string> {
  for (let at = 0; at < drawing.items.length; at += 1) {
    if (!drawing.open[at]) continue;
    const item = drawing.items[at]!;
    const [x, y, width, height] = box(drawing, at);
    const mark = model.mark(item);
    const words = [mark ? SIGNS[mark] : "", model.title(item), model.times(item) > 1 ? "" : model.type(item)].filter(Boolean).join(" ");
    yield `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="7" fill="#4c6b8c" fill-opacity="0.06" ${edge(model, item, paints)}${model.isRepeat(item) ? ' stroke-dasharray="5 3"' : ""}/>`;
    yield text(words, x + 9, y + 17.5, width - 18, 11.5, paints.palette.soft, 'font-weight="600"');
  }
}

function* lines(drawing: Drawing, { palette }: Paints): Generator<string> {
  for (let route = 0; route < drawing.kinds.length; route += 1) {
    const kind = LINE_KINDS[drawing.kinds[route]!] ?? "data";
    const points = [...drawing.points.subarray(drawing.starts[route], drawing.starts[route + 1])].map((value) => Number(value.toFixed(1)));
    let path = `M${points[0]} ${points[1]}`;
    for (let at = 2; at < points.length; at += 2) {
      const [x0, y0, x1, y1] = [points[at - 2]!, points[at - 1]!, points[at]!, points[at + 1]!];
      const middle = (y0 + y1) / 2;
      path += x0 === x1 ? `V${y1}` : `C${x0} ${middle} ${x1} ${middle} ${x1} ${y1}`;
    }
    yield `<path d="${path}" fill="none" stroke="${palette.lines[kind]}" stroke-width="${kind === "data" ? 1.1 : 1.7}"${kind === "gate" ? ' stroke-dasharray="5 3"' : ""}/>`;
    const [x, y] = points.slice(-2) as [number, number];
    if (drawing.heads[route]) yield `<path d="M${x} ${y}l-3.5 -6h7z" fill="${palette.lines[kind]}"/>`;
  }
}

function* boxes(drawing: Drawing, model: GraphModel, paints: Paints): Generator<string> {
  const { palette } = paints;
  for (let at = 0; at < drawing.items.length; at += 1) {
    if (drawing.open[at]) continue;
    const item = drawing.items[at]!;
    const [x, y, width, height] = box(drawing, at);
    const isSmall = height < 30;
    for (const step of model.isRepeat(item) ? [6, 3, 0] : [0]) {
      yield `<rect x="${x + step}" y="${y + step}" width="${width}" height="${height}" rx="${isSmall ? height / 2 : 5}" fill="${fillOf(model, item, paints)}" ${edge(model, item, paints)}/>`;
    }
    const centred = 'text-anchor="middle"';
    const [middle, shape] = [x + width / 2, model.shape(item)];
    if (isSmall) yield text(shape ? `${model.label(item)}  ${shape}` : model.label(item), middle, y + height / 2 + 4, width - 14, 11.5, palette.ink, centred);
    else {
      yield text(model.title(item), middle, y + 16.5, width - 14, 12, palette.ink, `${centred} font-weight="600"`);
      yield text(model.below(item), middle, y + 29.5, width - 10, 10, palette.soft, centred);
      yield* meter(model.share(item), x, y, width, height, paints);
    }
    const mark = model.mark(item);
    if (mark) yield text(SIGNS[mark], x + 10, y + 17, 14, 14, palette.marks[mark], `${centred} font-weight="700"`);
  }
}

function* meter(share: number | null, x: number, y: number, width: number, height: number, { palette }: Paints): Generator<string> {
  if (share === null) return;
  const long = (width - 14) * Math.max(0, Math.min(1, share));
  yield `<rect x="${x + 7}" y="${y + height - 5}" width="${width - 14}" height="2" fill="${palette.rule}"/>`;
  yield `<rect x="${x + 7}" y="${y + height - 5}" width="${long.toFixed(1)}" height="2" fill="${palette.meter}"/>`;
}

function text(words: string, x: number, y: number, room: number, size: number, colour: string, more: string): string {
  const most = Math.max(1, Math.floor(room / ((LETTER * size) / 12)));
  const shown = words.length > most ? `${words.slice(0, most - 1)}…` : words;
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${colour}" ${more}>${escaped(shown)}</text>`;
}
