// Questions that are asked again and again while something moves: one is under way at a time, at
// most one each `every` milliseconds, and of those that wait only the latest is asked.

export interface Latest<Question> {
  ask(question: Question): void;
  /** Whether a question waits to be asked. */
  readonly waiting: boolean;
  /** Forgets what waits and aborts what is under way; its answer is not shown any more. */
  stop(): void;
}

export interface LatestOptions<Question, Answer> {
  every: number;
  answer: (question: Question, signal: AbortSignal) => Promise<Answer>;
  onanswer: (answer: Answer, question: Question) => void;
  onerror: (error: unknown, question: Question) => void;
  onbusy?: (busy: boolean) => void;
}

export function latest<Question, Answer>(options: LatestOptions<Question, Answer>): Latest<Question> {
  let waiting: { question: Question } | null = null;
  let under: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = -Infinity;

  function next(): void {
    if (under || timer !== undefined || !waiting) return;
    const pause = last + options.every - performance.now();
    if (pause > 0) {
      timer = setTimeout(() => {
        timer = undefined;
        next();
      }, pause);
      return;
    }
    const { question } = waiting;
    waiting = null;
    void begin(question);
  }

  async function begin(question: Question): Promise<void> {
    const controller = new AbortController();
    under = controller;
    last = performance.now();
    options.onbusy?.(true);
    try {
      const answer = await options.answer(question, controller.signal);
      if (under === controller) options.onanswer(answer, question);
    } catch (error) {
      if (under === controller) options.onerror(error, question);
    } finally {
      if (under === controller) {
        under = null;
        if (!waiting) options.onbusy?.(false);
        next();
      }
    }
  }

  return {
    get waiting() {
      return waiting !== null;
    },
    ask(question) {
      waiting = { question };
      next();
    },
    stop() {
      waiting = null;
      clearTimeout(timer);
      timer = undefined;
      last = -Infinity;
      if (!under) return;
      const stale = under;
      under = null;
      stale.abort();
      options.onbusy?.(false);
    },
  };
}
