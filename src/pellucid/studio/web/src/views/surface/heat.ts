// A surface from above: every pixel in the colour of its height.
import type { Scale } from "../scales";
import { entry, TABLE } from "./colours";
import { cellOf, part, type Heights } from "./heights";

/** Paint heights into a canvas of `width` × `height` pixels, which the scales' ranges are stretched to. */
export function paintHeat(canvas: HTMLCanvasElement, heights: Heights, x: Scale, y: Scale, width: number, height: number): void {
  [canvas.width, canvas.height] = [width, height];
  const picture = new ImageData(width, height);
  const cells = (scale: Scale, places: ArrayLike<number>, count: number) =>
    Array.from({ length: count }, (_, at) => cellOf(places, scale.invert(scale.range[0] + ((at + 0.5) / count) * (scale.range[1] - scale.range[0]))));
  const across = cells(x, heights.x, width);
  const up = cells(y, heights.y, height).reverse(); // y rises upwards, and its range falls
  const { values, columns } = heights;
  for (let row = 0; row < height; row++) {
    const line = up[row];
    if (!line) continue;
    for (let column = 0; column < width; column++) {
      const place = across[column];
      if (!place) continue;
      const at = line.at * columns + place.at;
      const low = values[at]! + (values[at + 1]! - values[at]!) * place.along;
      const high = values[at + columns]! + (values[at + columns + 1]! - values[at + columns]!) * place.along;
      const share = part(heights, low + (high - low) * line.along);
      if (share !== share) continue;
      const [to, from] = [4 * (row * width + column), entry(share)];
      [picture.data[to], picture.data[to + 1], picture.data[to + 2], picture.data[to + 3]] = [TABLE[from]!, TABLE[from + 1]!, TABLE[from + 2]!, 255];
    }
  }
  canvas.getContext("2d")!.putImageData(picture, 0, 0);
}
