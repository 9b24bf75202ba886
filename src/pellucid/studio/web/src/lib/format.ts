// Numbers, times and sizes as a reader expects them, in the chosen language.
import { language, t } from "./i18n.svelte";

const MISSING = "–";
const locale = () => (language() === "zh" ? "zh-Hans" : "en-GB");

const formatters = new Map<string, unknown>();

/** A formatter, made once for each language: to make one takes longer than to write a hundred numbers. */
function kept<F>(name: string, make: (locale: string) => F): F {
  const key = `${locale()} ${name}`;
  if (!formatters.has(key)) formatters.set(key, make(locale()));
  return formatters.get(key) as F;
}

function written(value: number, options: Intl.NumberFormatOptions): string {
  return kept(JSON.stringify(options), (at) => new Intl.NumberFormat(at, options)).format(value).replace("-", "−");
}

function dated(moment: Date, options: Intl.DateTimeFormatOptions): string {
  return Number.isNaN(moment.getTime()) ? MISSING : kept(JSON.stringify(options), (at) => new Intl.DateTimeFormat(at, options)).format(moment);
}

/** A number with about three significant digits: 0.0412, 12.3, 1,204. */
export function number(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return MISSING;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(Math.max(digits - 1, 0)).replace("e+", "e").replace(/-/g, "−");
  const options = size >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits };
  return written(value, options);
}

/** A share as a percentage: 0.787 is 78.7 %. */
export function percent(value: number | null | undefined, decimals = 1): string {
  if (value === null || value === undefined || Number.isNaN(value)) return MISSING;
  return `${written(value * 100, { minimumFractionDigits: decimals, maximumFractionDigits: decimals })} %`;
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
  const relative = kept("ago", (at) => new Intl.RelativeTimeFormat(at, { numeric: "auto" }));
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return t("app.time.now");
}

export function date(moment: string): string {
  return dated(new Date(moment), { year: "numeric", month: "short", day: "numeric" });
}

/** Date and time to the minute. */
export function when(moment: string): string {
  return dated(new Date(moment), { dateStyle: "medium", timeStyle: "short" });
}
