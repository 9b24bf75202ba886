// Reads what pellucid/views/pack.py writes; that file describes the format.
import type { Column, Numbers, Pixels, View } from "./kinds";

const MAGIC = "PLCDVIEW";
const VERSION = 1;
const START = 16;
const NOT_A_NUMBER = 255;
const STEPS = 254;

const ARRAYS = {
  float64: Float64Array, float32: Float32Array, int32: Int32Array, uint32: Uint32Array,
  int16: Int16Array, uint16: Uint16Array, int8: Int8Array, uint8: Uint8Array,
} as const;

interface Described {
  name: string;
  dtype: keyof typeof ARRAYS;
  shape: number[];
  offset: number;
  bytes: number;
  coding: "raw" | "picture" | "levels";
  type?: string;
  low?: number;
  high?: number;
}

/** A block that is no view, or one of another version. */
export class PackError extends Error {
  override name = "PackError";
}

/** Put a view together from its bytes. Arrays lie in `buffer` itself, without a copy. */
export function unpack(buffer: ArrayBuffer): View {
  const { view, columns, start } = headerOf(buffer);
  const read = new Map(columns.map((column) => [column.name, columnOf(buffer, start, column)]));
  const decoded = decode(view, read);
  if (typeof decoded !== "object" || decoded === null || !("kind" in decoded)) {
    throw new PackError("This block holds no view.");
  }
  return decoded as View;
}

function headerOf(buffer: ArrayBuffer): { view: unknown; columns: Described[]; start: number } {
  const known = buffer.byteLength >= START && MAGIC === String.fromCharCode(...new Uint8Array(buffer, 0, 8));
  if (!known) throw new PackError(`This is not a packed view: ${buffer.byteLength} bytes that do not begin with ${MAGIC}.`);
  const numbers = new DataView(buffer);
  const version = numbers.getUint32(8, true);
  if (version !== VERSION) throw new PackError(`This view is packed in version ${version}; this page reads version ${VERSION}.`);
  const length = numbers.getUint32(12, true);
  if (START + length > buffer.byteLength) throw new PackError("This view is cut off: its header is longer than the block.");
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, START, length))) as { view: unknown; columns: Described[] };
  return { ...header, start: START + length };
}

function columnOf(buffer: ArrayBuffer, start: number, column: Described): Column | Pixels {
  const from = start + column.offset;
  if (from + column.bytes > buffer.byteLength) throw new PackError(`This view is cut off: column ${column.name} is not whole.`);
  if (column.coding === "picture") return picture(new Uint8Array(buffer, from, column.bytes), column);
  if (column.coding === "levels") return { data: fromLevels(new Uint8Array(buffer, from, column.bytes), column), shape: column.shape };
  const array = ARRAYS[column.dtype];
  if (!array) throw new PackError(`Column ${column.name} is of type ${column.dtype}, which this page does not know.`);
  const data: Numbers = new array(buffer, from, column.bytes / array.BYTES_PER_ELEMENT);
  return { data, shape: column.shape };
}

const releases = new WeakMap<object, () => void>();

/** Pixels whose URL is made when it is first asked for: most pictures of a long page never are. */
function picture(content: Uint8Array<ArrayBuffer>, column: Described): Pixels {
  let url = "";
  const pixels = {
    shape: column.shape,
    get url(): string {
      url ||= URL.createObjectURL(new Blob([content], { type: column.type ?? "image/png" }));
      return url;
    },
  };
  releases.set(pixels, () => {
    if (url) URL.revokeObjectURL(url);
    url = "";
  });
  return pixels;
}

/** Give back the memory of a view's pictures, once nothing shows it any more. */
export function release(view: View): void {
  walk(view, (part) => releases.get(part)?.());
}

function walk(value: unknown, visit: (part: object) => void): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  visit(value);
  if (!releases.has(value)) Object.values(value).forEach((part) => walk(part, visit));
}

function fromLevels(differences: Uint8Array, column: Described): Float32Array {
  const { low = 0, high = 1, shape } = column;
  const width = shape[shape.length - 1] ?? 0;
  const values = new Float32Array(differences.length);
  for (let at = 0, level = 0; at < values.length; at++) {
    level = ((at % width ? level : 0) + differences[at]!) & 255;
    values[at] = level === NOT_A_NUMBER ? NaN : low + ((high - low) * level) / STEPS;
  }
  return values;
}

type Parts = Record<string, unknown>;

function decode(value: unknown, columns: Map<string, Column | Pixels>): unknown {
  if (Array.isArray(value)) return value.map((part) => decode(part, columns));
  if (typeof value !== "object" || value === null) return value;
  const parts = value as Parts;
  if ("$column" in parts) return columnNamed(String(parts.$column), columns);
  if ("$number" in parts) return NUMBERS[String(parts.$number)] ?? NaN;
  if ("$map" in parts) {
    const pairs = parts.$map as [unknown, unknown][];
    return new Map(pairs.map(([key, part]) => [String(key), decode(part, columns)]));
  }
  const { $kind, ...rest } = parts;
  return { kind: $kind, ...Object.fromEntries(Object.entries(rest).map(([name, part]) => [name, decode(part, columns)])) };
}

const NUMBERS: Record<string, number> = { nan: NaN, inf: Infinity, "-inf": -Infinity };

function columnNamed(name: string, columns: Map<string, Column | Pixels>): Column | Pixels {
  const column = columns.get(name);
  if (!column) throw new PackError(`Column ${name} is missing.`);
  return name.endsWith("pixels") && "data" in column ? { url: "", shape: column.shape } : column;
}
