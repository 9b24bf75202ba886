// Moving over the unit square, and looking closer at a part of it.
import type { Window } from "./painting";

export const WHOLE: Window = { u: [0, 1], v: [0, 1] };
const CLOSEST = 1e-5;

/** The window moved by parts of its own size. */
export function moved({ u, v }: Window, across: number, up: number): Window {
  const [wide, high] = [(u[1] - u[0]) * across, (v[1] - v[0]) * up];
  return { u: [u[0] + wide, u[1] + wide], v: [v[0] + high, v[1] + high] };
}

/** The window made `factor` as large around a place in it, given as parts of its size. */
export function scaled({ u, v }: Window, factor: number, across = 0.5, up = 0.5): Window {
  const size = Math.min(Math.max((u[1] - u[0]) * factor, CLOSEST), 1.5);
  const ratio = size / (u[1] - u[0]);
  const around = ([low, high]: [number, number], part: number): [number, number] => {
    const fixed = low + part * (high - low);
    return [fixed - (fixed - low) * ratio, fixed + (high - fixed) * ratio];
  };
  return { u: around(u, across), v: around(v, up) };
}
