// What the server said of itself: name of the workspace, version, whether it may be written to.
import { api } from "$lib/api";
import type { Session } from "$lib/schemas";

let held = $state.raw<Session | null>(null);

export const session = {
  get value(): Session | null {
    return held;
  },
  /** Nothing can be computed or written; only looked at. */
  get readOnly(): boolean {
    return held?.read_only ?? false;
  },
  async load(): Promise<void> {
    held = await api.get<Session>("/session");
  },
};
