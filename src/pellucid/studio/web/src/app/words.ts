// The word for a kind of result; a kind that came with a later analysis is named as it names itself.
import { allCatalogues, t } from "$lib/i18n.svelte";

export function kindWord(kind: string): string {
  const key = `app.result.${kind}`;
  if (key in allCatalogues.en) return t(key);
  const plain = kind.replaceAll("_", " ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}
