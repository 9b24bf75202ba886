// Which page an address leads to. Pages are fetched when they are visited first, or when nothing else is to do.
import { bodyOf } from "$views/registry";
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

/** Fetch the other pages, and curves, one by one while the browser is idle. */
export async function fetchAhead(): Promise<void> {
  const ahead: (() => Promise<unknown>)[] = [...ROUTES.map(({ load }) => load), () => bodyOf("Lines")];
  for (const load of ahead) {
    await idle();
    await load().catch(() => undefined); // whoever opens the page is told
  }
}

function idle(): Promise<void> {
  return new Promise((resolve) => ("requestIdleCallback" in window ? requestIdleCallback(() => resolve()) : setTimeout(resolve, 200)));
}

export function find(path: string): { route: Route; params: Record<string, string> } | null {
  for (const route of ROUTES) {
    const params = match(route.pattern, path);
    if (params) return { route, params };
  }
  return null;
}
