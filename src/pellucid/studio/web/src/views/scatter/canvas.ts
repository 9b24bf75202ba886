// Points on a two-dimensional canvas: discs where they are few, pixels that add up where they are many.
import { colourAt, colourTable, DIMMED, FEW, NUM_FILLED, opacityOf, radiusOf, type Painter, type Scene } from "./painting";
import { MOST_GROUPS, OTHERS } from "./points";

export class CanvasPainter implements Painter {
  private readonly context: CanvasRenderingContext2D;
  private sums = new Float32Array(0);

  constructor(private readonly canvas: HTMLCanvasElement) {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("This browser has no canvas to draw on.");
    this.context = context;
  }

  paint(scene: Scene): void {
    const [width, height] = [Math.round(scene.width * scene.ratio), Math.round(scene.height * scene.ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) [this.canvas.width, this.canvas.height] = [width, height];
    this.context.clearRect(0, 0, width, height);
    if (scene.points.count <= FEW) this.discs(scene);
    else this.pixels(scene, width, height);
  }

  destroy(): void {
    this.sums = new Float32Array(0);
  }

  private discs(scene: Scene): void {
    const { points, chosen, palette, ratio } = scene;
    const { context } = this;
    const radius = radiusOf(scene);
    const draw = (which: number) => {
      for (const look of [OTHERS, ...Array.from({ length: MOST_GROUPS }, (_, at) => at)]) {
        const ring = look >= NUM_FILLED && look !== OTHERS;
        context.fillStyle = context.strokeStyle = colourAt(look, palette);
        context.globalAlpha = chosen && which === 0 ? DIMMED : chosen ? 0.95 : opacityOf(scene);
        context.lineWidth = 1.6;
        for (const [x, y] of this.places(scene, (i) => points.look[i] === look && (!chosen || chosen[i] === which))) {
          context.beginPath();
          context.arc(x, y, ring ? radius - 0.4 : radius, 0, 2 * Math.PI);
          if (ring) context.stroke();
          else context.fill();
        }
      }
    };
    context.save();
    context.scale(ratio, ratio);
    draw(0);
    if (chosen) draw(1);
    context.restore();
  }

  private *places({ points: { u, v }, window, width, height }: Scene, wanted: (i: number) => boolean): Iterable<[number, number]> {
    const [across, up] = [width / (window.u[1] - window.u[0]), height / (window.v[1] - window.v[0])];
    for (let i = 0; i < u.length; i++) {
      const [x, y] = [(u[i]! - window.u[0]) * across, height - (v[i]! - window.v[0]) * up];
      if (x > -8 && x < width + 8 && y > -8 && y < height + 8 && wanted(i)) yield [x, y];
    }
  }

  /** Sum colour and opacity of all points in each pixel, then mix once. */
  private pixels(scene: Scene, width: number, height: number): void {
    const { points: { u, v, look, count }, window, chosen, palette } = scene;
    const table = colourTable(palette, count);
    if (this.sums.length !== 4 * width * height) this.sums = new Float32Array(4 * width * height);
    else this.sums.fill(0);
    const { sums } = this;
    const size = Math.max(1, Math.round(2 * radiusOf(scene) * scene.ratio));
    const weight = Math.max(0.3, opacityOf(scene));
    const [across, up] = [width / (window.u[1] - window.u[0]), height / (window.v[1] - window.v[0])];
    for (let i = 0; i < u.length; i++) {
      const x = Math.round((u[i]! - window.u[0]) * across - size / 2);
      const y = Math.round(height - (v[i]! - window.v[0]) * up - size / 2);
      if (!(x >= 0 && y >= 0 && x + size <= width && y + size <= height)) continue;
      const part = chosen ? (chosen[i] ? 6 : 0.12) * weight : weight;
      const colour = 3 * Math.min(look[i]!, MOST_GROUPS);
      for (let row = 0; row < size; row++) {
        for (let at = 4 * ((y + row) * width + x), end = at + 4 * size; at < end; at += 4) {
          sums[at]! += part * table[colour]!;
          sums[at + 1]! += part * table[colour + 1]!;
          sums[at + 2]! += part * table[colour + 2]!;
          sums[at + 3]! += part;
        }
      }
    }
    this.context.putImageData(mixed(sums, width, height), 0, 0);
  }
}

function mixed(sums: Float32Array, width: number, height: number): ImageData {
  const picture = new ImageData(width, height);
  const { data } = picture;
  for (let at = 0; at < sums.length; at += 4) {
    const weight = sums[at + 3]!;
    if (weight === 0) continue;
    const scale = 255 / weight;
    data[at] = sums[at]! * scale;
    data[at + 1] = sums[at + 1]! * scale;
    data[at + 2] = sums[at + 2]! * scale;
    data[at + 3] = 255 * (weight / (weight + 0.55));
  }
  return picture;
}
