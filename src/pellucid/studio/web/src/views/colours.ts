// Colours of the style sheet, for what is painted and not styled.

export const NUM_SERIES = 8;

/** Colour of a series, as a style's value. */
export function series(at: number): string {
  return `var(--c${(at % NUM_SERIES) + 1})`;
}

export interface Palette {
  ink: string;
  soft: string;
  rule: string;
  edge: string;
  card: string;
  accent: string;
  series: string[];
}

/** The colours in force at an element. */
export function paletteAt(element: Element): Palette {
  const style = getComputedStyle(element);
  const named = (name: string) => style.getPropertyValue(`--${name}`).trim() || "#808080";
  return {
    ink: named("ink"), soft: named("soft"), rule: named("rule"), edge: named("edge"), card: named("card"), accent: named("accent"),
    series: Array.from({ length: NUM_SERIES }, (_, at) => named(`c${at + 1}`)),
  };
}

/** Red, green and blue of `#rgb`, `#rrggbb` or `rgb(…)`, 0–255. */
export function channels(colour: string): [number, number, number] {
  const hex = colour.match(/^#(.)(.)(.)$/)?.slice(1).map((digit) => digit + digit) ?? colour.match(/^#(..)(..)(..)/)?.slice(1);
  const parts = hex ? hex.map((two) => parseInt(two, 16)) : (colour.match(/[\d.]+/g) ?? []).map(Number);
  return [parts[0] ?? 128, parts[1] ?? 128, parts[2] ?? 128];
}
