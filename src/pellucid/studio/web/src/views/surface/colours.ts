// Colours of heights: even steps of lightness, the same to all eyes, dark to light (viridis).

const STOPS = "44015448186a472d7b4240863b528b33638d2c728e26828e21918c1fa08828ae803fbc735ec96284d44baddc30d8e219fde725";
const NUM_STOPS = STOPS.length / 6;
const TABLE = tableOf(256);

function channel(stop: number, which: number): number {
  const at = 6 * stop + 2 * which;
  return parseInt(STOPS.slice(at, at + 2), 16);
}

function tableOf(steps: number): Uint8Array {
  const table = new Uint8Array(3 * steps);
  for (let at = 0; at < steps; at++) {
    const place = (at / (steps - 1)) * (NUM_STOPS - 1);
    const stop = Math.min(Math.floor(place), NUM_STOPS - 2);
    for (let which = 0; which < 3; which++) {
      const [low, high] = [channel(stop, which), channel(stop + 1, which)];
      table[3 * at + which] = Math.round(low + (high - low) * (place - stop));
    }
  }
  return table;
}

/** Where the colour of a part (0 to 1) of the height begins in `TABLE`. */
export function entry(part: number): number {
  return 3 * Math.round(Math.min(Math.max(part, 0), 1) * 255);
}

export { TABLE };

/** A colour as a style has it; `light` below 1 darkens it. */
export function colourOf(part: number, light = 1): string {
  const at = entry(part);
  return `rgb(${[0, 1, 2].map((which) => Math.round(TABLE[at + which]! * light)).join(" ")})`;
}
