// Which models a result was made with, as they can be asked for again.
import type { Job, ModelChoice, ModelReference, ResultDetail, ResultSummary, RunSummary } from "$lib/schemas";

const ASKABLE = /^(bundled|torchvision|timm|hf):[^/.][^\s]*$/;

const HUB = /^(?:hf:)?((?:[\w-][\w.-]*\/)?[\w-][\w.-]*)$/;

/** The model of Hugging Face that is named, as "hf:NAME", or without the prefix as "OWNER/NAME"; null for other words. */
export function hubChoice(typed: string): ModelChoice | null {
  const name = HUB.exec(typed)?.[1];
  if (!name || name.includes("..") || !(typed.startsWith("hf:") || name.includes("/"))) return null;
  return { reference: `hf:${name}`, title: name, source: "hf", kind: "" };
}

/** The reference of the model behind a result; "" where it cannot be asked for again. */
export function modelOf(result: Pick<ResultSummary, "run" | "model">): string {
  if (result.run) return `run:${result.run}`;
  return ASKABLE.test(result.model ?? "") ? result.model! : "";
}

/** The references of both models of a comparison, first A; "" where one cannot be asked for again. */
export function modelsOf(detail: ResultDetail, jobs: readonly Job[], runs: readonly RunSummary[]): { a: string; b: string } {
  const job = jobs.find(({ kind, results }) => kind === "compare" && results?.includes(detail.id));
  const asked = job?.parameters as { model?: ModelReference; other?: ModelReference } | undefined;
  if (asked?.model && asked.other) return { a: asked.model.reference, b: asked.other.reference };
  const parameters = detail.meta.parameters as { model_a?: { source?: string } } | undefined;
  return { a: referenceOf(parameters?.model_a?.source ?? "", runs), b: modelOf(detail) || referenceOf(detail.model ?? "", runs) };
}

/** What both models of a comparison were called when it was made. */
export function namesOf(detail: ResultDetail): { a: string; b: string } {
  const parameters = detail.meta.parameters as { model_a?: { source?: string } } | undefined;
  return { a: shortName(parameters?.model_a?.source ?? ""), b: shortName(detail.model ?? "") };
}

function shortName(source: string): string {
  return source.split(/[\\/:]/).filter(Boolean).at(-1) ?? "";
}

/** The reference of a model that records name by its source; "" where it cannot be asked for.
 *  A record tells where a run lay; the workspace knows runs by their names. */
export function referenceOf(source: string, runs: readonly RunSummary[]): string {
  if (ASKABLE.test(source)) return source;
  const name = source.startsWith("run:") ? shortName(source) : undefined;
  const run = runs.find((each) => each.name === name);
  return run ? `run:${run.id}` : "";
}
