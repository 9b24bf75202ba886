// Points in a saved drawing: circles where they are few enough for an editor, else a picture of them.
import { CanvasPainter } from "./canvas";
import { colourAt, DIMMED, NUM_FILLED, opacityOf, radiusOf, type Scene } from "./painting";
import { OTHERS } from "./points";

const MOST_CIRCLES = 20_000;

export function pointsMarkup(scene: Scene, left: number, top: number): string {
  const { points: { u, v, look, count }, window, width, height, chosen } = scene;
  if (count > MOST_CIRCLES) return picture(scene, left, top);
  const radius = radiusOf(scene);
  const [across, up] = [width / (window.u[1] - window.u[0]), height / (window.v[1] - window.v[0])];
  let circles = "";
  for (let i = 0; i < u.length; i++) {
    const [x, y] = [left + (u[i]! - window.u[0]) * across, top + height - (v[i]! - window.v[0]) * up];
    if (!(x >= left && x <= left + width && y >= top && y <= top + height)) continue;
    const colour = colourAt(look[i]!, scene.palette);
    const ring = look[i]! >= NUM_FILLED && look[i] !== OTHERS;
    const opacity = chosen ? (chosen[i] ? 0.95 : DIMMED) : opacityOf(scene);
    circles += `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius.toFixed(1)}" ${ring ? `fill="none" stroke="${colour}" stroke-width="1.6" stroke-opacity` : `fill="${colour}" fill-opacity`}="${opacity}"/>`;
  }
  return `<g>${circles}</g>`;
}

function picture(scene: Scene, left: number, top: number): string {
  const canvas = document.createElement("canvas");
  new CanvasPainter(canvas).paint({ ...scene, ratio: 2 });
  return `<image x="${left}" y="${top}" width="${scene.width}" height="${scene.height}" href="${canvas.toDataURL("image/png")}"/>`;
}
