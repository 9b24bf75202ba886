// Addresses of pages with what they are to show, so that no page has to know another's choices by heart.
import { link } from "./router.svelte";

/** Explain one sample: of a result (by sample id), or of a data set (by position). */
export function explainHref(what: { sample?: string; result?: string; model?: string; data?: string; split?: string; position?: number }): string {
  return link("/explain", what);
}

export function modelHref(reference: string, layer = ""): string {
  return link("/model", { model: reference, layer });
}

export function errorsHref(result: string): string {
  return link("/errors", { result });
}

/** Compare two models; the first is the one before (the base model), the second the one after. */
export function compareHref(what: { a?: string; b?: string; result?: string; data?: string }): string {
  return link("/compare", what);
}

export function reportHref(what: { runs?: string[]; results?: string[] } = {}): string {
  return link("/report", { run: what.runs, result: what.results });
}

export function trainHref(what: { model?: string; data?: string } = {}): string {
  return link("/train", what);
}
