// The labelled arrays of a result, as the server gives them in JSON.
import { api } from "$lib/api";

export type Nested = number | string | boolean | null | readonly Nested[];

interface Variable {
  name: string;
  dims: string[];
  shape: number[];
  coords: Record<string, (string | number | null)[]>;
  values: Nested;
}

export function variable(result: string, name: string, signal?: AbortSignal): Promise<Variable> {
  return api.get<Variable>(`/results/${result}/data/${name}.json`, { signal });
}

/** Several variables at once, by name. */
export async function variables<Name extends string>(result: string, names: readonly Name[], signal?: AbortSignal): Promise<Record<Name, Nested>> {
  const found = await Promise.all(names.map(async (name) => [name, (await variable(result, name, signal)).values] as const));
  return Object.fromEntries(found) as Record<Name, Nested>;
}

export const texts = (values: Nested): string[] => (values as readonly Nested[]).map(String);
export const numbers = (values: Nested): (number | null)[] => (values as readonly Nested[]).map((value) => (typeof value === "number" ? value : null));
export const places = (values: Nested): number[] => numbers(values).map((value) => value ?? -1);
export const rows = (values: Nested): readonly Nested[] => values as readonly Nested[];
