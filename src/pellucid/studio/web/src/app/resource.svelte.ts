// Something that a page reads from the server: asked for again when what it depends on changes,
// when the server comes back, or on demand. Answers that came too late are dropped.
import { isAborted } from "$lib/api";
import { connection } from "$lib/connection.svelte";

export interface Resource<T> {
  /** The last answer; it stays while a newer one is awaited. */
  readonly data: T | undefined;
  readonly error: Error | null;
  readonly loading: boolean;
  reload(): void;
  /** Put in what is known already, such as the answer to a change. */
  set(data: T): void;
}

/** `ask` is called at once, and again whenever the state that it reads changes; null asks nothing. */
export function resource<T>(ask: (signal: AbortSignal) => Promise<T> | null): Resource<T> {
  let data = $state.raw<T | undefined>();
  let error = $state.raw<Error | null>(null);
  let loading = $state(true);
  let turn = $state(0);

  $effect(() => {
    void turn;
    void connection.returns;
    const abort = new AbortController();
    const answer = ask(abort.signal);
    loading = answer !== null;
    answer?.then(
      (value) => {
        if (abort.signal.aborted) return;
        [data, error, loading] = [value, null, false];
      },
      (reason: unknown) => {
        if (abort.signal.aborted || isAborted(reason)) return;
        [error, loading] = [reason instanceof Error ? reason : new Error(String(reason)), false];
      },
    );
    return () => abort.abort();
  });

  return {
    get data() {
      return data;
    },
    get error() {
      return error;
    },
    get loading() {
      return loading;
    },
    reload: () => void (turn += 1),
    set: (value: T) => void ([data, error, loading] = [value, null, false]),
  };
}
