// Short messages that come and go at the edge of the page.

import { words } from "$lib/api";

export interface Toast {
  id: number;
  tone: "good" | "bad" | "neutral";
  text: string;
  href?: string;
  action?: string;
}

const state = $state<{ list: Toast[] }>({ list: [] });
const LASTS = 8000;
let last = 0;

export const toasts = {
  get list(): readonly Toast[] {
    return state.list;
  },
  /** Show a message. What went wrong stays until it is closed. */
  show(text: string, options: Partial<Omit<Toast, "id" | "text">> = {}): void {
    const toast: Toast = { id: ++last, tone: "neutral", text, ...options };
    state.list = [...state.list.slice(-3), toast];
    if (toast.tone !== "bad") setTimeout(() => toasts.close(toast.id), LASTS);
  },
  fail(error: unknown): void {
    toasts.show(words(error), { tone: "bad" });
  },
  close(id: number): void {
    state.list = state.list.filter((toast) => toast.id !== id);
  },
};
