// The word for a kind of result; a kind that came with a later analysis is named as it names itself.
import { allCatalogues, t } from "$lib/i18n.svelte";
import { phrase } from "$lib/phrases.svelte";

export function kindWord(kind: string): string {
  const key = `app.result.${kind}`;
  if (key in allCatalogues.en) return t(key);
  const plain = kind.replaceAll("_", " ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

/** The title of a result: as it names itself, or in the reader's language where it only names its kind. */
export function resultTitle(result: { kind: string; title: string }): string {
  const standard = allCatalogues.en[`app.result.${result.kind}`] ?? "";
  return !result.title || result.title.toLowerCase() === standard.toLowerCase() ? kindWord(result.kind) : phrase(result.title);
}
