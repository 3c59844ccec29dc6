/**
 * The `${ … }` around an expression.
 */

/** True if the text as a whole is `${ … }`. */
export function isEnclosed(text: string): boolean {
  const trimmed = text.trim();
  return trimmed.startsWith("${") && trimmed.endsWith("}");
}

/** The program inside `${ … }`, or the text itself; without space around it. */
export function programText(text: string): string {
  const trimmed = text.trim();
  return isEnclosed(trimmed) ? trimmed.slice(2, -1).trim() : trimmed;
}
