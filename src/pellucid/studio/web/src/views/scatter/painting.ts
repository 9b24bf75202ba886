// What painters of points are given, and which one is taken.
import { channels, type Palette } from "../colours";
import { MOST_GROUPS, OTHERS, type Points } from "./points";

/** The part of the unit square that is seen. */
export interface Window {
  u: [number, number];
  v: [number, number];
}

export interface Scene {
  points: Points;
  window: Window;
  width: number;
  height: number;
  /** Device pixels for one of the page's. */
  ratio: number;
  /** 1 for chosen points; null if none is. */
  chosen: Uint8Array | null;
  palette: Palette;
}

export interface Painter {
  paint(scene: Scene): void;
  destroy(): void;
}

export const FEW = 5000; // up to which each point is drawn by itself
export const NUM_FILLED = 8; // groups beyond are rings

/** Radius in pixels: small where points are many, larger on a closer look. */
export function radiusOf({ points, window }: Scene): number {
  const base = Math.min(4.5, Math.max(1.1, 4.5 * (150 / Math.max(points.count, 1)) ** 0.2));
  const zoom = 1 / Math.max(window.u[1] - window.u[0], 1e-9);
  return Math.min(base * Math.max(1, zoom) ** 0.3, 6);
}

export function opacityOf({ points }: Scene): number {
  return points.count <= FEW ? 0.78 : points.count <= 200_000 ? 0.6 : 0.4;
}

/** Opacity of what is not chosen, where something is. */
export const DIMMED = 0.16;

export function colourAt(look: number, palette: Palette): string {
  return look === OTHERS ? palette.edge : palette.series[look % NUM_FILLED]!;
}

const PALE = 0.5;

/** Red, green, blue (0–1) of each place, that of the others last. Where points are too many to tell
 *  rings from discs, what would be rings is paler. */
export function colourTable(palette: Palette, count: number): Float32Array {
  const looks = [...Array.from({ length: MOST_GROUPS }, (_, at) => at), OTHERS];
  const ground = channels(palette.card);
  return Float32Array.from(looks.flatMap((look) => {
    const pale = count > FEW && look >= NUM_FILLED && look !== OTHERS ? PALE : 0;
    return channels(colourAt(look, palette)).map((part, at) => (part * (1 - pale) + ground[at]! * pale) / 255);
  }));
}
