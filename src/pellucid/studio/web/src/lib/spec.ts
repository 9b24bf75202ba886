// Numbers by Python's format specs, so that page, paper and shell agree. A test compares with Python.

export const MISSING = "–";
const MINUS = "−";
const SPEC = /^([+ ]?)(,?)(?:\.(\d+))?([fgde%]?)$/;

/** Formats a number by Python's format specs, such as `.1%`, `.3g`, `d`, `,` and `+.2f`. */
export function formatNumber(value: number, spec = ""): string {
  if (Number.isNaN(value)) return MISSING;
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  const found = SPEC.exec(spec);
  if (!found) throw new RangeError(`format spec "${spec}" is unknown; expected one such as ".1%", ".3g", "d" or ","`);
  const [, plus = "", comma = "", digits, type = ""] = found;
  const isWhole = type === "d" || (spec === "" && Number.isInteger(value));
  const number = isWhole ? halfToEven(value) : value;
  const size = Math.abs(number);
  const isNegative = number < 0 || (Object.is(number, -0) && !isWhole);
  const text = isWhole ? plain(size) : body(size, type || (spec === "" ? "g" : "r"), digits === undefined ? undefined : Number(digits), spec);
  const grouped = comma ? withCommas(text) : text;
  return (isNegative ? MINUS : plus) + grouped.replace("e-", `e${MINUS}`);
}

function body(size: number, type: string, digits: number | undefined, spec: string): string {
  switch (type) {
    case "%":
      return `${fixed(size * 100, digits ?? 6)}%`;
    case "f":
      return fixed(size, digits ?? 6);
    case "e":
      return exponent(size.toExponential(digits ?? 6));
    case "g":
      return general(size, digits ?? (spec === "" ? 3 : 6));
    default:
      return digits === undefined ? shortest(size) : general(size, digits);
  }
}

// Ties go to the even digit. A tie is an odd multiple of 1 / 2^(digits + 1), which is exact in a float.
function fixed(size: number, digits: number): string {
  if (size >= 1e21) return `${plain(size)}${digits ? "." : ""}${"0".repeat(digits)}`; // toFixed would give an exponent
  const halves = size * 2 ** (digits + 1);
  if (!(Number.isInteger(halves) && halves % 2 === 1)) return size.toFixed(digits);
  const below = (halves * 5 ** digits - 1) / 2;
  return ((below % 2 === 0 ? below : below + 1) / 10 ** digits).toFixed(digits);
}

// As Python's "g": significant digits without trailing zeros, an exponent below 1e-4 and from 10^digits on.
function general(size: number, digits: number): string {
  const most = Math.max(digits, 1);
  if (size === 0) return "0";
  const power = Number(size.toExponential(most - 1).split("e")[1]);
  if (power >= -4 && power < most) return trimmed(fixed(size, Math.max(0, most - 1 - power)));
  const [front = "", back = ""] = size.toExponential(most - 1).split("e");
  return exponent(`${trimmed(front)}e${back}`);
}

// As Python writes a float with no type: all of its digits, ".0" after whole ones.
function shortest(size: number): string {
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) return exponent(size.toExponential());
  return Number.isInteger(size) ? `${size}.0` : String(size);
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function exponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

function plain(size: number): string {
  return BigInt(size).toString();
}

function withCommas(text: string): string {
  const [, whole = "", rest = ""] = /^(\d+)(.*)$/.exec(text) ?? [];
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + rest;
}

function halfToEven(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}
