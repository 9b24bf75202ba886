// Numbers as all surfaces write them, as pellucid/views/wording.py does.
import { format } from "d3-format";
import type { Axis } from "./kinds";

export const MISSING = "–";

/** A number by a Python format spec (``.1%``, ``.3g``, ``,d``); a gap as a dash. */
export function formatted(value: unknown, spec = ""): string {
  if (value === null || value === undefined) return MISSING;
  if (typeof value !== "number") return String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? MISSING : value > 0 ? "∞" : "−∞";
  const whole = spec.endsWith("d") || (!spec && Number.isInteger(value));
  if (whole) return format(spec || "d")(Math.round(value));
  return general(value, spec || ".3g");
}

/** Python's `g` leaves out zeros at the end, and has exponents of two digits. */
function general(value: number, spec: string): string {
  if (!/g$/.test(spec)) return format(spec)(value);
  const digits = Number(spec.match(/\.(\d+)/)?.[1] ?? 6) || 1;
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))));
  if (exponent < -4 || exponent >= digits) {
    const [mantissa, power] = value.toExponential(digits - 1).split("e");
    const sign = power!.startsWith("-") ? "−" : "";
    return `${String(Number(mantissa)).replace("-", "−")}e${sign}${power!.slice(1)}`;
  }
  return String(Number(value.toPrecision(digits))).replace("-", "−");
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
  const text = Number.isInteger(value) && Math.abs(value) < 1e6 ? format(",d")(value) : general(value, ".4g");
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
