// A record of nested values as rows of words: what the table of a run's or a result's making shows.

export interface Row {
  name: string;
  value: string;
}
export interface Group {
  name: string;
  rows: Row[];
}

const MOST_ITEMS = 12;

/** Simple values come first, in a group without a name; each nested record is a group of its own. */
export function grouped(record: Record<string, unknown>, leftOut: readonly string[] = []): Group[] {
  const simple: Row[] = [];
  const groups: Group[] = [];
  for (const [key, value] of Object.entries(record)) {
    if (leftOut.includes(key) || isNothing(value)) continue;
    if (isRecord(value)) {
      const rows = flat(value);
      if (rows.length) groups.push({ name: spaced(key), rows });
    } else simple.push({ name: spaced(key), value: written(value) });
  }
  return simple.length ? [{ name: "", rows: simple }, ...groups] : groups;
}

function flat(record: Record<string, unknown>, before = ""): Row[] {
  return Object.entries(record).flatMap(([key, value]) => {
    const name = before ? `${before} · ${spaced(key)}` : spaced(key);
    if (isNothing(value)) return [];
    return isRecord(value) ? flat(value, name) : [{ name, value: written(value) }];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length) || (isRecord(value) && !Object.keys(value).length);
}

function written(value: unknown): string {
  if (typeof value === "number" && Number.isInteger(value)) return Math.abs(value) >= 10_000 ? value.toLocaleString("en-GB") : String(value);
  if (typeof value === "number") return String(Number(value.toPrecision(6)));
  if (Array.isArray(value)) return list(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function list(values: unknown[]): string {
  const first = values.slice(0, MOST_ITEMS).map((value) => (isRecord(value) ? flat(value).map((row) => `${row.name} ${row.value}`).join(", ") : written(value)));
  return first.join(", ") + (values.length > MOST_ITEMS ? ` … (${values.length})` : "");
}

function spaced(key: string): string {
  return key.replaceAll("_", " ");
}
