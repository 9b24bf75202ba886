// Long work: what is running, how far it is, and what came of it. Follows the server's events.
import { api, events, words } from "$lib/api";
import { t } from "$lib/i18n.svelte";
import { phrase } from "$lib/phrases.svelte";
import type { Job, JobRequest } from "$lib/schemas";
import { toasts } from "./toasts.svelte";

let held = $state.raw<readonly Job[]>([]);
let known = $state(false);
let error = $state.raw<Error | null>(null);

const ACTIVE = new Set<Job["state"]>(["waiting", "running"]);

export function isActive(job: Job): boolean {
  return ACTIVE.has(job.state);
}

/** Where a job leads: to its run, or to its last result. */
export function placeOf(job: Job): string {
  const result = job.results.at(-1);
  if (job.run && job.kind === "finetune") return `/runs/${job.run}`;
  return result ? `/results/${result}` : "/jobs";
}

export const jobs = {
  /** Newest first. */
  get list(): readonly Job[] {
    return held;
  },
  get known(): boolean {
    return known;
  },
  get error(): Error | null {
    return error;
  },
  get active(): readonly Job[] {
    return held.filter(isActive);
  },
  find(id: string | null | undefined): Job | undefined {
    return held.find((job) => job.id === id);
  },
  async load(): Promise<void> {
    try {
      const list = await api.get<Job[]>("/jobs");
      if (known) for (const job of list) tellEnd(job);
      held = sorted(list);
      [known, error] = [true, null];
    } catch (reason) {
      error = reason instanceof Error ? reason : new Error(String(reason));
    }
  },
  follow(): () => void {
    return events("/jobs/events", { open: () => void jobs.load(), job: (job: Job) => put(job) });
  },
  async start(request: JobRequest): Promise<Job> {
    const job = await api.post<Job>("/jobs", request);
    put(job);
    return job;
  },
  async cancel(job: Job): Promise<void> {
    await attempt(job, "cancel");
  },
  async retry(job: Job): Promise<void> {
    await attempt(job, "retry");
  },
};

async function attempt(job: Job, action: "cancel" | "retry"): Promise<void> {
  try {
    put(await api.post<Job>(`/jobs/${job.id}/${action}`));
  } catch (reason) {
    toasts.show(words(reason), { tone: "bad" });
  }
}

function put(job: Job): void {
  tellEnd(job);
  held = sorted([job, ...held.filter((other) => other.id !== job.id)]);
}

function sorted(list: readonly Job[]): readonly Job[] {
  return [...list].sort((a, b) => b.created.localeCompare(a.created));
}

// Only what was seen at work is news when it ends.
function tellEnd(job: Job): void {
  const before = jobs.find(job.id);
  if (!before || !isActive(before) || isActive(job)) return;
  if (job.state === "done") toasts.show(t("app.toast.done", { title: phrase(job.title) }), { tone: "good", href: placeOf(job), action: t("app.toast.open") });
  else if (job.state === "failed") toasts.show(t("app.toast.failed", { title: phrase(job.title), why: phrase(job.error?.message ?? "") }), { tone: "bad", href: "/jobs", action: t("app.toast.look") });
}
