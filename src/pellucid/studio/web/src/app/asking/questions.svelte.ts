// One model asked about one input: what it answers, and why, while parts of the input are hidden.
// Answers follow the brush; maps of the quick methods follow too, the others once it rests.
import { api, fetchView, isAborted } from "$lib/api";
import type { View } from "$lib/kinds";
import type { AskWhy, ModelReference, Predictions, Why } from "$lib/schemas";
import { latest } from "./latest";
import type { Stroke } from "./strokes";
import { merged } from "./merging";

export type Fill = "blur" | "mean" | "zero";

export interface Subject {
  model: ModelReference;
  input: string;
}

export interface Hidden {
  strokes: readonly Stroke[];
  fill: Fill;
  /** The input is a text that words were taken out of. */
  words?: boolean;
}

/** What is asked of the maps, apart from what is hidden. */
export interface Wanted {
  methods: readonly string[];
  target?: number | null;
  against?: number | null;
  layer?: string | null;
  parameters?: Record<string, Record<string, unknown>>;
  faithfulness?: boolean;
}

export interface Reasons {
  why: Why;
  views: View[];
  /** Methods whose maps are from before the last stroke, and are being made anew. */
  stale: readonly string[];
}

/** Maps come first; how faithful they are takes longer, and is asked for once nothing else is. */
interface Stage extends Wanted {
  partial: boolean;
  thenMeasure: boolean;
}

interface Question<T> {
  subject: Subject;
  hidden: Hidden;
  more: T;
}

const EVERY = { answers: 150, maps: 300 } as const;

export class Questions {
  /** What was answered with nothing hidden. */
  before = $state.raw<Predictions | null>(null);
  /** What is answered with parts hidden; null while nothing is. */
  now = $state.raw<Predictions | null>(null);
  reasons = $state.raw<Reasons | null>(null);
  answersError = $state.raw<Error | null>(null);
  reasonsError = $state.raw<Error | null>(null);
  answering = $state(false);
  explaining = $state(false);
  /** The maps are there; how faithful they are is being measured. */
  measuring = $state(false);

  #slow = false; // all methods are under way, not only those that follow the brush
  readonly #answers = latest<Question<null>, Predictions>({
    every: EVERY.answers,
    answer: ({ subject, hidden }, signal) => api.post<Predictions>("/predict", body(subject, hidden), { signal }),
    onanswer: (predictions, { hidden }) => {
      this.answersError = null;
      if (hidden.strokes.length || hidden.words) this.now = predictions;
      else [this.before, this.now] = [predictions, null];
    },
    onerror: (error) => (this.answersError = problem(error) ?? this.answersError),
    onbusy: (busy) => (this.answering = busy),
  });

  readonly #reasons = latest<Question<Stage>, Reasons>({
    every: EVERY.maps,
    answer: (question, signal) => {
      this.#slow = !question.more.partial;
      this.measuring = question.more.faithfulness === true;
      return explained(question, this.reasons, signal);
    },
    onanswer: (reasons, question) => {
      const { more } = question;
      this.reasonsError = null;
      this.reasons = more.partial && this.reasons ? merged(this.reasons, reasons) : reasons;
      if (more.thenMeasure && !this.#reasons.waiting) this.#reasons.ask({ ...question, more: { ...more, thenMeasure: false, faithfulness: true } });
    },
    onerror: (error) => (this.reasonsError = problem(error) ?? this.reasonsError),
    onbusy: (busy) => {
      this.explaining = busy;
      if (!busy) this.#slow = this.measuring = false;
    },
  });

  /** Forget everything: another model, or another input. */
  reset(): void {
    this.#answers.stop();
    this.#reasons.stop();
    [this.before, this.now, this.reasons] = [null, null, null];
    [this.answersError, this.reasonsError] = [null, null];
  }

  answer(subject: Subject, hidden: Hidden): void {
    this.#answers.ask({ subject, hidden: copied(hidden), more: null });
  }

  /** Maps by all methods, then how faithful they are; or, while the brush moves, maps by some of them
   *  (`partial`), which then take their place among the rest.
   */
  explain(subject: Subject, hidden: Hidden, wanted: Wanted, partial = false): void {
    if (partial) this.hold();
    else this.#reasons.stop();
    const more = { ...wanted, partial, faithfulness: false, thenMeasure: wanted.faithfulness === true && !partial };
    this.#reasons.ask({ subject, hidden: copied(hidden), more });
  }

  /** Give up maps that take their time, since what they are of is about to change. */
  hold(): void {
    if (this.#slow) this.#reasons.stop();
  }

  /** No maps are wanted any more. */
  dropReasons(): void {
    this.#reasons.stop();
    [this.reasons, this.reasonsError] = [null, null];
  }
}

async function explained({ subject, hidden, more }: Question<Stage>, before: Reasons | null, signal: AbortSignal): Promise<Reasons> {
  const { methods, target, against, layer, parameters, faithfulness } = more;
  const question: AskWhy = {
    ...body(subject, hidden),
    methods: [...methods],
    target: target ?? null,
    against: against ?? null,
    layer: layer || null,
    parameters: parameters ?? {},
    faithfulness: faithfulness ?? false,
  };
  const why = await api.post<Why>("/why", question, { signal });
  if (faithfulness && before) return { ...before, why, stale: [] };
  const views = await Promise.all(why.views.map(({ index }) => fetchView(`/why/${why.id}/views/${index}`, { signal })));
  return { why, views, stale: [] };
}

function body({ model, input }: Subject, { strokes, fill }: Hidden) {
  return { model, input, strokes: strokes.map(({ points, radius }) => ({ points, radius })), fill };
}

function copied(hidden: Hidden): Hidden {
  return { ...hidden, strokes: [...hidden.strokes] };
}

function problem(error: unknown): Error | null {
  if (isAborted(error)) return null;
  return error instanceof Error ? error : new Error(String(error));
}
