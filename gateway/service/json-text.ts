/**
 * Checks of JSON text that a request carries. The text goes on as it is; it is parsed here only to refuse what is none, because a run
 * must never meet a broken payload. Pure.
 */
import { MaestroError, messageOf } from "../../runtime/errors.ts";
import { LIMITS } from "../../runtime/limits.ts";

/** UTF-8 needs at most three bytes for a UTF-16 unit: shorter texts need not be measured. */
const BYTES_PER_UNIT_MAX = 3;

/** @throws MESSAGE_TOO_LARGE `text` has more than `limitBytes` bytes in UTF-8. */
export function refuseTooLarge(field: string, text: string, limitBytes: number): void {
  if (text.length * BYTES_PER_UNIT_MAX <= limitBytes) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > limitBytes) throw new MaestroError("MESSAGE_TOO_LARGE", { facts: { field, bytes, limit: limitBytes } });
}

/** Why `text` is no JSON that a run could be given, or undefined. */
export function jsonReason(text: string): string | undefined {
  if (nestingDepth(text) > LIMITS.nestingDepth) return `is nested deeper than ${LIMITS.nestingDepth} levels.`;
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `must be JSON: ${messageOf(error)}.`;
  }
}

/** The deepest nesting of arrays and objects in JSON text. For text that is no JSON the answer means nothing. Exported for tests. */
export function nestingDepth(text: string): number {
  if (text.length <= LIMITS.nestingDepth) return 0;
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) at = endOfString(text, at);
    else if (unit === OPEN_BRACKET || unit === OPEN_BRACE) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (unit === CLOSE_BRACKET || unit === CLOSE_BRACE) depth -= 1;
  }
  return deepest;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Index of the quote that ends the string which begins at `start`, or of the text's end. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}
