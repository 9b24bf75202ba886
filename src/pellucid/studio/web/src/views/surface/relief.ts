// A surface in relief: turned by hand, seen from far away (orthographically), far patches first.
import type { Palette } from "../colours";
import { colourOf } from "./colours";
import { heightAt, part, type Heights } from "./heights";

export interface Turn {
  /** Around the vertical axis, and above the ground, in radians. */
  azimuth: number;
  elevation: number;
}

export interface Relief {
  heights: Heights;
  turn: Turn;
  path: { x: ArrayLike<number>; y: ArrayLike<number> } | null;
  names: { x: string; y: string; value: string };
  palette: Palette;
  width: number;
  height: number;
  ratio: number;
}

type Point3 = [number, number, number];
type Projected = [number, number, number]; // across, down, nearness
const MOST = 56; // patches along a side
const TALL = 0.62; // height of the relief, of its ground's side
const LAMP: Point3 = [-0.45, -0.55, 0.7];

export function projector({ turn: { azimuth, elevation }, width, height }: Relief): (point: Point3) => Projected {
  const [cosA, sinA, cosE, sinE] = [Math.cos(azimuth), Math.sin(azimuth), Math.cos(elevation), Math.sin(elevation)];
  const scale = Math.min(width / 1.5, height / 1.32);
  return ([x, y, z]) => {
    const [across, depth] = [x * cosA - y * sinA, x * sinA + y * cosA];
    const [raised, near] = [(z - TALL / 2) * cosE + depth * sinE, depth * cosE - (z - TALL / 2) * sinE];
    return [width / 2 + across * scale, height / 2 - raised * scale, -near];
  };
}

export function paintRelief(canvas: HTMLCanvasElement, relief: Relief): void {
  const { width, height, ratio } = relief;
  [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  const context = canvas.getContext("2d")!;
  context.scale(ratio, ratio);
  const project = projector(relief);
  ground(context, relief, project);
  for (const patch of patches(relief, project)) {
    context.fillStyle = context.strokeStyle = patch.colour;
    context.lineWidth = 0.6; // closes the seams between neighbours
    trace(context, patch.corners);
    context.fill();
    context.stroke();
  }
  walk(context, relief, project);
}

function trace(context: CanvasRenderingContext2D, corners: Projected[]): void {
  context.beginPath();
  corners.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
}

interface Patch {
  corners: Projected[];
  near: number;
  colour: string;
}

function patches({ heights }: Relief, project: (point: Point3) => Projected): Patch[] {
  const { columns, rows, values } = heights;
  const [stepX, stepY] = [Math.ceil((columns - 1) / MOST), Math.ceil((rows - 1) / MOST)];
  const place = (column: number, row: number): Point3 => {
    const [c, r] = [Math.min(column, columns - 1), Math.min(row, rows - 1)];
    return [c / (columns - 1) - 0.5, r / (rows - 1) - 0.5, part(heights, values[r * columns + c]!) * TALL];
  };
  const found: Patch[] = [];
  for (let row = 0; row < rows - 1; row += stepY) {
    for (let column = 0; column < columns - 1; column += stepX) {
      const points = [place(column, row), place(column + stepX, row), place(column + stepX, row + stepY), place(column, row + stepY)];
      if (points.some(([, , z]) => z !== z)) continue;
      const corners = points.map(project);
      const mean = points.reduce((sum, [, , z]) => sum + z, 0) / 4 / TALL;
      found.push({ corners, near: corners.reduce((sum, corner) => sum + corner[2], 0), colour: colourOf(mean, light(points)) });
    }
  }
  return found.sort((a, b) => a.near - b.near);
}

/** How much light falls on a patch, 0.6 to 1. */
function light(points: Point3[]): number {
  const [a, b, , d] = points as [Point3, Point3, Point3, Point3];
  const [u, v] = [minus(b, a), minus(d, a)];
  const normal: Point3 = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
  const length = Math.hypot(...normal) || 1;
  const facing = (normal[0] * LAMP[0] + normal[1] * LAMP[1] + normal[2] * LAMP[2]) / length;
  return 0.62 + 0.38 * Math.min(Math.max(facing, 0), 1);
}

function minus(a: Point3, b: Point3): Point3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

/** The floor's edges, and what each side measures. */
function ground(context: CanvasRenderingContext2D, { names, palette }: Relief, project: (point: Point3) => Projected): void {
  const floor: Point3[] = [[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]];
  context.strokeStyle = palette.edge;
  context.lineWidth = 1;
  trace(context, floor.map(project));
  context.stroke();
  context.fillStyle = palette.soft;
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  const sides: [string, Point3[], Point3][] = [
    [names.x, [[0, -0.58, 0], [0, 0.58, 0]], [1, 0, 0]],
    [names.y, [[-0.58, 0, 0], [0.58, 0, 0]], [0, 1, 0]],
  ];
  const [middle] = project([0, 0, 0]);
  for (const [name, ends, along] of sides) {
    const [one, other] = ends.map(project) as [Projected, Projected];
    const front = one[2] > other[2] ? one : other;
    context.fillText(project(along)[0] >= middle ? `${name} →` : `← ${name}`, front[0], front[1] + 10);
  }
}

/** The path over the surface, a little above it. */
function walk(context: CanvasRenderingContext2D, { heights, path }: Relief, project: (point: Point3) => Projected): void {
  if (!path || !path.x.length) return;
  const side = (places: ArrayLike<number>, value: number) => (value - places[0]!) / (places[places.length - 1]! - places[0]!) - 0.5;
  const steps: Projected[] = [];
  for (let i = 0; i < path.x.length; i++) {
    const height = heightAt(heights, path.x[i]!, path.y[i]!);
    if (Number.isFinite(height)) steps.push(project([side(heights.x, path.x[i]!), side(heights.y, path.y[i]!), part(heights, height) * TALL + 0.012]));
  }
  for (const [colour, thick] of [["#fff", 4.5], ["#111820", 2]] as const) {
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.lineJoin = context.lineCap = "round";
    context.beginPath();
    steps.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.stroke();
  }
}
