// Act once when an element comes near to what is seen, or when everything is wanted at once.

const MARGIN = "1200px";
const waiting = new Map<Element, () => Promise<void>>();

const observer =
  typeof IntersectionObserver === "undefined"
    ? null
    : new IntersectionObserver(
        (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => void begin(entry.target)),
        { rootMargin: MARGIN },
      );

function begin(element: Element): Promise<void> {
  const act = waiting.get(element);
  waiting.delete(element);
  observer?.unobserve(element);
  return act ? act() : Promise.resolve();
}

export function near(element: HTMLElement, act: () => Promise<void>): { destroy: () => void } {
  waiting.set(element, act);
  if (observer) observer.observe(element);
  else void begin(element);
  return {
    destroy() {
      waiting.delete(element);
      observer?.unobserve(element);
    },
  };
}

/** Draw everything that still waits, as for print. */
export async function all(): Promise<void> {
  await Promise.all([...waiting.keys()].map(begin));
}

/** Draw what waits, one after another, while the reader does nothing. */
export function atLeisure(): void {
  const next = waiting.keys().next();
  if (next.done) return;
  const go = () => void begin(next.value).then(atLeisure);
  if ("requestIdleCallback" in window) requestIdleCallback(go);
  else setTimeout(go, 50);
}
