// How an answer is to be explained, as the address holds it.
import type { Method, MethodParameter } from "$lib/schemas";

export interface Wish {
  methods: string[];
  target: number | null;
  against: number | null;
  layer: string;
  faithfulness: boolean;
  parameters: Record<string, Record<string, unknown>>;
}

/** Methods to begin with, by the kind of input. */
export const FIRST_METHODS: Record<string, string[]> = {
  image: ["grad_cam", "integrated_gradients"],
  text: ["integrated_gradients", "occlusion"],
  array: ["integrated_gradients"],
};
/** Families whose methods take about as long as a few predictions, so that they can follow the brush. */
const QUICK = new Set(["cam"]);
const MOST_QUICK = 3;

export function wishOf(query: URLSearchParams, kind: string, known: readonly Method[]): Wish {
  const there = new Map(known.map((method) => [method.name, method]));
  const asked = query.get("methods")?.split(",") ?? FIRST_METHODS[kind] ?? [];
  const methods = [...new Set(asked)].filter((name) => there.has(name));
  return {
    methods: query.has("methods") || methods.length ? methods : known.slice(0, 1).map((method) => method.name),
    target: whole(query.get("target")),
    against: whole(query.get("against")),
    layer: query.get("layer") ?? "",
    faithfulness: query.get("faithful") !== "no",
    parameters: parametersOf(query.getAll("with"), there),
  };
}

export function wishInAddress(wish: Wish): Record<string, string | string[] | null> {
  const given = Object.entries(wish.parameters).flatMap(([method, values]) =>
    Object.entries(values).map(([name, value]) => `${method}.${name}=${JSON.stringify(value)}`),
  );
  return {
    methods: wish.methods.join(",") || null,
    target: wish.target === null ? null : String(wish.target),
    against: wish.against === null ? null : String(wish.against),
    layer: wish.layer || null,
    faithful: wish.faithfulness ? null : "no",
    with: given.length ? given : null,
  };
}

function parametersOf(words: readonly string[], known: ReadonlyMap<string, Method>): Wish["parameters"] {
  const found: Wish["parameters"] = {};
  for (const word of words) {
    const [, method = "", name = "", text = ""] = word.match(/^(\w+)\.(\w+)=(.*)$/s) ?? [];
    const parameter = known.get(method)?.parameters?.find((each) => each.name === name);
    const value = parameter && valueOf(text, parameter);
    if (value !== undefined) (found[method] ??= {})[name] = value;
  }
  return found;
}

function valueOf(text: string, parameter: MethodParameter): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return checked(value, parameter) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a value is of the parameter's type and within its bounds. */
export function checked(value: unknown, parameter: MethodParameter): boolean {
  const { minimum, maximum, choices } = parameter;
  const type = plainType(parameter);
  if (choices?.length) return typeof value === "string" && choices.includes(value);
  if (type === "bool") return typeof value === "boolean";
  if (type !== "int" && type !== "float") return typeof value === "string" || typeof value === "number";
  const number = typeof value === "number" && (type === "float" || Number.isInteger(value));
  return number && value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity);
}

/** The type of a parameter without "or nothing": "int | None" is a number that may be left out. */
export function plainType({ type }: MethodParameter): string {
  return type.replace(/ \| None$/, "");
}

/** Parameters with one set, or back at its default. */
export function withParameter(parameters: Wish["parameters"], method: string, parameter: MethodParameter, value: unknown): Wish["parameters"] {
  const own = { ...parameters[method] };
  if (value === parameter.default) delete own[parameter.name];
  else own[parameter.name] = value;
  const { [method]: _, ...others } = parameters;
  return Object.keys(own).length ? { ...others, [method]: own } : others;
}

/** Those of `methods` that can follow the brush. */
export function quick(methods: readonly string[], known: readonly Method[]): string[] {
  const family = new Map(known.map((method) => [method.name, method.family]));
  return methods.filter((name) => QUICK.has(family.get(name) ?? "")).slice(0, MOST_QUICK);
}

function whole(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}
