// Finding by words: each word that is typed must be somewhere in the text, in any order and case.

/** Whether all words of `typed` occur in `text`. */
export function matches(text: string, typed: string): boolean {
  const low = text.toLowerCase();
  return typed.toLowerCase().split(/\s+/).every((word) => low.includes(word));
}

/** Those items whose text has all words, the ones that begin with them first; the order else stays. */
export function find<T>(items: readonly T[], typed: string, textOf: (item: T) => string): T[] {
  const words = typed.trim().toLowerCase();
  if (!words) return [...items];
  const [first, rest]: [T[], T[]] = [[], []];
  for (const item of items) {
    const text = textOf(item);
    if (!matches(text, words)) continue;
    (text.toLowerCase().startsWith(words) ? first : rest).push(item);
  }
  return [...first, ...rest];
}
