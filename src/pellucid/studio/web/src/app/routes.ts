// Which page an address leads to. Pages are fetched when they are visited first.
import type { Component } from "svelte";
import { match } from "./router.svelte";

/** What every page is given. */
export interface PageProps {
  params: Record<string, string>;
}

export interface Route {
  pattern: string;
  name: string;
  load: () => Promise<{ default: Component<PageProps> }>;
}

const files = import.meta.glob<{ default: Component<PageProps> }>("./pages/*/Page.svelte");

const PATTERNS: Record<string, string> = {
  "/": "workspace",
  "/runs/:id": "run",
  "/results/:id": "result",
  "/train": "train",
  "/model": "model",
  "/explain": "explain",
  "/errors": "errors",
  "/compare": "compare",
  "/report": "report",
  "/jobs": "jobs",
  "/about": "about",
};

export const ROUTES: readonly Route[] = Object.entries(PATTERNS).flatMap(([pattern, name]) => {
  const load = files[`./pages/${name}/Page.svelte`];
  return load ? [{ pattern, name, load }] : [];
});

export function find(path: string): { route: Route; params: Record<string, string> } | null {
  for (const route of ROUTES) {
    const params = match(route.pattern, path);
    if (params) return { route, params };
  }
  return null;
}
