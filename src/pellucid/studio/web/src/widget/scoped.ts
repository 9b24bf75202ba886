// The notebook keeps its own style: ours goes into the widget's shadow tree, whose root is the host.

export function scoped(style: string): string {
  return style
    .replace(/:root((?:\[[^\]]*\]|:not\([^)]*\))+)/g, ":host($1)")
    .replace(/:root/g, ":host")
    .replace(/(^|[}\s,])body(?=[\s{,])/g, "$1:host");
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
