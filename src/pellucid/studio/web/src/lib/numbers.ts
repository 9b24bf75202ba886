// Numbers as all surfaces write them, as pellucid/views/wording.py does.
import type { Axis } from "./kinds";
import { formatNumber, MISSING } from "./spec";

/** A number by a Python format spec (``.1%``, ``.3g``, ``,d``); a gap as a dash. */
export function formatted(value: unknown, spec = ""): string {
  if (value === null || value === undefined) return MISSING;
  return typeof value === "number" ? formatNumber(value, spec) : String(value);
}

/** Whether an axis measures shares, which read better as percentages. */
export function isShare(axis: Axis): boolean {
  return !axis.unit && axis.limits !== null && axis.limits[0] === 0 && axis.limits[1] === 1;
}

/** A value in words: with its unit, or as a percentage where the axis goes from 0 to 1. */
export function quantity(value: number, axis: Axis): string {
  if (!Number.isFinite(value)) return formatted(value);
  if (isShare(axis)) {
    const percent = 100 * value;
    const size = Math.abs(percent);
    return `${formatted(percent, (size > 0 && size < 10) || (size > 99 && size < 100) ? ".1f" : ".0f")} %`;
  }
  const text = Number.isInteger(value) && Math.abs(value) < 1e6 ? formatNumber(value, ",d") : formatNumber(value, ".4g");
  return axis.unit ? `${text} ${axis.unit}` : text;
}

/** An axis' label with its unit in brackets. */
export function axisLabel(axis: Axis): string {
  return axis.unit ? `${axis.label} (${axis.unit})` : axis.label;
}

/** At most `most` characters, the last an ellipsis where something is left out. */
export function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(most - 1, 0)).trimEnd()}…`;
}
