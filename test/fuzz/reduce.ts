/** Smaller versions of inputs, for the reduction of a failing case. */

/** Without one of its parts: first halves, then quarters, down to single units, 64 candidates for each size at most. */
function* withoutParts<T>(length: number, cut: (from: number, to: number) => T): Iterable<T> {
  for (let size = Math.ceil(length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    const step = Math.max(size, Math.ceil(length / 64));
    for (let from = 0; from < length; from += step) yield cut(from, Math.min(length, from + size));
  }
}

/** Texts that are a part shorter. */
export function smallerTexts(text: string): Iterable<string> {
  return withoutParts(text.length, (from, to) => text.slice(0, from) + text.slice(to));
}

/** Lists that are a part shorter. */
export function smallerLists<T>(items: readonly T[]): Iterable<readonly T[]> {
  return withoutParts(items.length, (from, to) => items.toSpliced(from, to - from));
}

/** The text with what can't be seen written out, cut to a length that fits on a screen. */
export function shownText(text: string): string {
  return text.length > 800 ? `${JSON.stringify(text.slice(0, 800))} and ${text.length - 800} more characters` : JSON.stringify(text);
}
