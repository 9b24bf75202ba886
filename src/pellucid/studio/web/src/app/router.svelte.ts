// The address of the page: what is shown, and what the reader chose there. A copied address brings both back.

export type Choices = Record<string, string | number | boolean | readonly string[] | null | undefined>;

interface Place {
  path: string;
  query: URLSearchParams;
}

function here(): Place {
  if (typeof window === "undefined") return { path: "/", query: new URLSearchParams() };
  return { path: window.location.pathname.replace(/(.)\/+$/, "$1"), query: new URLSearchParams(window.location.search) };
}

let place = $state.raw(here());
let visits = $state(0);

export const router = {
  get path(): string {
    return place.path;
  },
  get query(): URLSearchParams {
    return place.query;
  },
  /** Grows with every visit to another page, not with a choice made within one. */
  get visits(): number {
    return visits;
  },
};

/** Follow the browser's buttons; returns how to stop. */
export function startRouter(): () => void {
  const onback = () => arrive(here());
  window.addEventListener("popstate", onback);
  return () => window.removeEventListener("popstate", onback);
}

function arrive(next: Place): void {
  if (next.path !== place.path) visits += 1;
  place = next;
}

/** Go to another page. */
export function go(address: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  arrive(here());
}

/** An address out of a path and choices; null, undefined, "" and false are left out. */
export function link(path: string, choices: Choices = {}): string {
  const query = new URLSearchParams();
  apply(query, choices);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

function apply(query: URLSearchParams, choices: Choices): void {
  for (const [key, value] of Object.entries(choices)) {
    query.delete(key);
    if (value === null || value === undefined || value === "" || value === false) continue;
    for (const one of Array.isArray(value) ? value : [value]) query.append(key, String(one));
  }
}

/** Keep choices of the reader in the address; others stay. By default no step back is made of it. */
export function choose(choices: Choices, { push = false } = {}): void {
  const query = new URLSearchParams(place.query);
  apply(query, choices);
  if (query.toString() === place.query.toString()) return;
  const text = query.toString();
  go(text ? `${place.path}?${text}` : place.path, { replace: !push });
}

/** Whether a click on a link should be followed by the page itself, rather than by the browser. */
export function isOurs(event: MouseEvent, anchor: HTMLAnchorElement): boolean {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return false;
  if (anchor.target || anchor.hasAttribute("download") || anchor.origin !== window.location.origin) return false;
  if (/^\/(api|login|assets)(\/|$)/.test(anchor.pathname)) return false;
  return !(anchor.hash && anchor.pathname === window.location.pathname && anchor.search === window.location.search);
}

/** Compare a path with a pattern such as `/runs/:id`: the named parts, or null. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== given.length) return null;
  const found: Record<string, string> = {};
  for (const [position, part] of wanted.entries()) {
    const value = given[position] ?? "";
    if (part.startsWith(":")) {
      if (!value) return null;
      found[part.slice(1)] = decode(value);
    } else if (part !== value) return null;
  }
  return found;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
