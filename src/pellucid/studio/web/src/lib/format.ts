// Numbers, times and sizes as a reader expects them, in the chosen language.
import { language, t } from "./i18n.svelte";

const MISSING = "–";
const locale = () => (language() === "zh" ? "zh-Hans" : "en-GB");

/** A number with about three significant digits: 0.0412, 12.3, 1,204. */
export function number(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return MISSING;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(Math.max(digits - 1, 0)).replace("e+", "e").replace(/-/g, "−");
  const options = size >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits };
  return value.toLocaleString(locale(), options).replace("-", "−");
}

/** A share as a percentage: 0.787 is 78.7 %. */
export function percent(value: number | null | undefined, decimals = 1): string {
  if (value === null || value === undefined || Number.isNaN(value)) return MISSING;
  const text = (value * 100).toLocaleString(locale(), { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return `${text.replace("-", "−")} %`;
}

/** A number of bytes: 12.4 MB. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = count;
  let unit = 0;
  for (; size >= 1000 && unit < units.length - 1; unit++) size /= 1000;
  return `${unit ? number(size) : size} ${units[unit]}`;
}

/** A length of time in seconds: 8 s, 3 min 20 s, 2 h 5 min. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return MISSING;
  if (seconds < 1) return t("app.time.under");
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (hours) return t("app.time.hours", { hours, minutes });
  return minutes ? t("app.time.minutes", { minutes, seconds: rest }) : t("app.time.seconds", { seconds: rest });
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

/** How long ago a moment was: "3 minutes ago"; a date if longer than a week. */
export function ago(moment: string, now = Date.now()): string {
  const then = Date.parse(moment);
  if (Number.isNaN(then)) return MISSING;
  const seconds = (then - now) / 1000;
  if (Math.abs(seconds) > 7 * 86_400) return date(moment);
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return t("app.time.now");
}

export function date(moment: string): string {
  const then = new Date(moment);
  return Number.isNaN(then.getTime()) ? MISSING : then.toLocaleDateString(locale(), { year: "numeric", month: "short", day: "numeric" });
}

/** Date and time to the minute. */
export function when(moment: string): string {
  const then = new Date(moment);
  return Number.isNaN(then.getTime()) ? MISSING : then.toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" });
}
