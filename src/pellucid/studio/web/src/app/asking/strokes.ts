// Strokes of the brush over a picture: points from 0 to 1 of its width and height, the radius from
// 0 to 1 of its width. They are what `Ask.strokes` takes.

export type Point = [number, number];

export interface Stroke {
  points: Point[];
  radius: number;
}

export const RADII = { least: 0.01, most: 0.25, first: 0.06 } as const;
const MOST_STROKES = 200;
const MOST_POINTS = 5_000;
/** Points closer than this share of the radius change nothing that can be seen. */
const SPACING = 0.25;
const STEPS = 36 ** 2 - 1;

export function begun(strokes: readonly Stroke[], at: Point, radius: number): Stroke[] {
  const kept = strokes.slice(-(MOST_STROKES - 1));
  return [...kept, { points: [within(at)], radius: clamp(radius, RADII.least, RADII.most) }];
}

/** The strokes with the last one drawn on to `to`; the same array if the step is too small to see. */
export function extended(strokes: readonly Stroke[], to: Point): readonly Stroke[] {
  const last = strokes.at(-1);
  if (!last || last.points.length >= MOST_POINTS) return strokes;
  const [x, y] = within(to);
  const [fromX, fromY] = last.points.at(-1)!;
  if (Math.hypot(x - fromX, y - fromY) < last.radius * SPACING) return strokes;
  return [...strokes.slice(0, -1), { ...last, points: [...last.points, [x, y] satisfies Point] }];
}

/** Leaves out points that lie within `tolerance` of the line between their neighbours. */
export function simplified(stroke: Stroke, tolerance = stroke.radius * 0.15): Stroke {
  const { points } = stroke;
  const kept = new Set([0, points.length - 1]);
  const parts: [number, number][] = [[0, points.length - 1]];
  for (let part = parts.pop(); part; part = parts.pop()) {
    const [start, end] = part;
    let farthest = -1;
    let distance = tolerance;
    for (let i = start + 1; i < end; i++) {
      const off = fromLine(points[i]!, points[start]!, points[end]!);
      if (off > distance) [farthest, distance] = [i, off];
    }
    if (farthest < 0) continue;
    kept.add(farthest);
    parts.push([start, farthest], [farthest, end]);
  }
  return { ...stroke, points: points.filter((_, i) => kept.has(i)) };
}

/** Strokes as a short word for an address; "" where there are none or too many for one. */
export function toAddress(strokes: readonly Stroke[], longest = 1_600): string {
  const words = strokes.map((stroke) => {
    const { points, radius } = simplified(stroke);
    return [radius, ...points.flat()].map(digits).join("");
  });
  const word = words.join(".");
  return word.length <= longest ? word : "";
}

/** What `toAddress` wrote; strokes that are not understood are left out. */
export function fromAddress(word: string): Stroke[] {
  return word.split(".").slice(0, MOST_STROKES).flatMap(strokeOf);
}

function strokeOf(word: string): Stroke[] {
  if (!/^([0-9a-z]{2})([0-9a-z]{4})+$/.test(word)) return [];
  const [radius, ...flat] = (word.match(/../g) ?? []).map((pair) => parseInt(pair, 36) / STEPS);
  const points: Point[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) points.push([flat[i]!, flat[i + 1]!]);
  return [{ points, radius: clamp(radius!, RADII.least, RADII.most) }];
}

function digits(value: number): string {
  return Math.round(value * STEPS).toString(36).padStart(2, "0");
}

function fromLine([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const along = length ? clamp(((x - ax) * dx + (y - ay) * dy) / length, 0, 1) : 0;
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}

function within([x, y]: Point): Point {
  return [clamp(x, 0, 1), clamp(y, 0, 1)];
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
