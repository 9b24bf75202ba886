// The chosen samples hold across pages and reloads: in the session's storage, and in the address while they are few.
import { selection } from "$lib/selection.svelte";
import { choose, router } from "../router.svelte";

const KEY = "pellucid-selection";
const MOST_IN_ADDRESS = 20;

interface Kept {
  ids: string[];
  origin: string;
}

/** Bring back what the address names, or else what was chosen in this tab before. */
export function restoreSelection(): void {
  const named = router.query.getAll("chosen");
  if (named.length) return selection.choose(named, router.query.get("chosen-in") ?? "");
  const kept = readKept();
  if (kept) selection.choose(kept.ids, kept.origin);
}

/** To be called in an effect: keeps the selection where a reload and a copied address find it. */
export function keepSelection(): void {
  const ids = [...selection.ids];
  void router.path;
  writeKept({ ids, origin: selection.origin });
  const few = ids.length <= MOST_IN_ADDRESS;
  choose({ chosen: few ? ids : null, "chosen-in": few && ids.length ? selection.origin : null });
}

function readKept(): Kept | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Kept | null;
    return Array.isArray(kept?.ids) ? kept : null;
  } catch {
    return null;
  }
}

// A tab whose storage is full or closed still works; it then only forgets at a reload.
function writeKept(kept: Kept): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    return;
  }
}
