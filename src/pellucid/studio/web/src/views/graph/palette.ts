// The colours of a graph: the style sheet's, and those that tell kinds of steps and lines apart.
import type { Theme } from "$lib/theme.svelte";
import { rgbOf, type Rgb } from "../matrix/pixels";
import type { LineKind } from "./layout";
import type { Mark } from "./model";

export interface Palette {
  ink: string;
  soft: string;
  rule: string;
  edge: string;
  accent: string;
  card: string;
  ground: string;
  frame: string;
  meter: string;
  font: string;
  fills: Record<string, string>;
  lines: Record<LineKind, string>;
  marks: Record<Mark, string>;
  /** A box whose number is this part of the largest; ink stays readable on it. */
  shade: (strength: number) => string;
  tint: (colour: string) => string;
}

const MOST = 0.55; // of the strongest colour, so that ink stays readable on it

const OWN: Record<Theme, Record<"group" | "operator" | "attention" | "residual" | "join" | "gate" | "input" | "data" | "skip" | "gated" | "frame" | "changed", string>> = {
  light: {
    group: "#eef2f6", operator: "#f4f5f6", attention: "#fdf0dc", residual: "#fbe4d6", join: "#dcf1ea", gate: "#ece4f2", input: "#e3eefa",
    data: "#87919d", skip: "#0b7a5c", gated: "#7a4e9c", frame: "rgb(76 107 140 / 0.06)", changed: "#6a3d8f",
  },
  dark: {
    group: "#202832", operator: "#1c2128", attention: "#3a2f19", residual: "#42291a", join: "#17362d", gate: "#30263b", input: "#1c2f42",
    data: "#74808d", skip: "#5fd3a8", gated: "#c3a0e2", frame: "rgb(150 185 220 / 0.06)", changed: "#c9a6ec",
  },
};

/** The colours in a theme; those of the style sheet are read from `element`. */
export function paletteOf(element: Element, theme: Theme): Palette {
  const style = getComputedStyle(element);
  const value = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const own = OWN[theme];
  const card = rgbOf(value("card"));
  const mixed = (other: Rgb, part: number) => `rgb(${card.map((under, at) => Math.round(under + (other[at]! - under) * part)).join(" ")})`;
  const strong = rgbOf(value("right"));
  return {
    ink: value("ink"), soft: value("soft"), rule: value("rule"), edge: value("edge"), accent: value("accent"), card: value("card"), ground: value("ground"),
    frame: own.frame, meter: value("c1"), font: style.fontFamily,
    fills: { ...own, repeat: own.group, output: own.input, layer: value("card") },
    lines: { data: own.data, residual: value("c2"), skip: own.skip, gate: own.gated },
    marks: { added: value("good"), removed: value("bad"), changed: own.changed },
    shade: (strength) => mixed(strong, MOST * Math.max(0, Math.min(1, strength))),
    tint: (colour) => mixed(rgbOf(colour), 0.16),
  };
}
