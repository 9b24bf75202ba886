// The notebook keeps its own style: ours goes into the widget's shadow tree, whose root is the host.

export function scoped(style: string): string {
  return style
    .replace(/:root((?:\[[^\]]*\]|:not\([^)]*\))+)/g, ":host($1)")
    .replace(/:root/g, ":host")
    .replace(/(^|[}\s,])body(?=[\s{,])/g, "$1:host");
}

/** Tells whether what lies behind is dark, now and whenever it may have changed; returns how to stop.
 *  A widget is made before it is put into the page, and notebooks load their colours late.
 */
export function followGround(element: Element, tell: (dark: boolean) => void): () => void {
  let last: boolean | undefined;
  const look = () => {
    const dark = isDark(element);
    if (dark !== last) tell((last = dark));
  };
  const late = () => void requestAnimationFrame(look);
  const marks = new MutationObserver(late);
  for (const root of [document.documentElement, document.body]) marks.observe(root, { attributes: true });
  const sizes = new ResizeObserver(late);
  sizes.observe(element);
  const sheets = (event: Event) => event.target instanceof HTMLLinkElement && late();
  document.addEventListener("load", sheets, true);
  look();
  return () => {
    marks.disconnect();
    sizes.disconnect();
    document.removeEventListener("load", sheets, true);
  };
}

/** Whether the notebook is dark, by the brightness of what lies behind the widget. */
export function isDark(element: Element): boolean {
  for (let place: Element | null = element; place; place = place.parentElement) {
    const parts = getComputedStyle(place).backgroundColor.match(/[\d.]+/g)?.map(Number) ?? [];
    const [red = 255, green = 255, blue = 255, opacity = 1] = parts;
    if (parts.length && opacity > 0.5) return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
  }
  return false;
}
