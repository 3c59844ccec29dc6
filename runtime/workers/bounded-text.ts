/**
 * Text and JSON of bounded size, for what leaves a worker thread. Pure.
 */
import { messageOf } from "../errors.ts";

/** Bytes of `text` as UTF-8; counts only if the text could exceed `limitBytes`, otherwise it answers 0. */
export function bytesAbove(text: string, limitBytes: number): number {
  if (text.length * 3 <= limitBytes) return 0;
  const bytes = Buffer.byteLength(text);
  return bytes > limitBytes ? bytes : 0;
}

/**
 * `text`, cut to `limitBytes` bytes of UTF-8; a cut text says so at its end. Halves of surrogate pairs, which UTF-8 can't hold, are replaced: what leaves
 * here is stored, and must be the same when it is read back.
 */
export function cutText(text: string, limitBytes: number): string {
  const bytes = bytesAbove(text, limitBytes);
  if (bytes === 0) return text.toWellFormed();
  const kept = Buffer.from(text)
    .subarray(0, limitBytes)
    .toString("utf8")
    .replace(/\uFFFD$/, "");
  return `${kept}… (${bytes - limitBytes} bytes cut)`;
}

/** Bytes of what a value's own conversion to JSON says when it fails. */
const REASON_BYTES = 1_024;

/** A value as JSON text, or the reason why it has none. */
export type JsonText = { readonly text: string } | { readonly reason: string };

/** `value` as JSON text of at most `limitBytes` bytes. Undefined counts as null. Members that JSON leaves out (functions) are left out. */
export function jsonText(value: unknown, limitBytes: number): JsonText {
  if (value === undefined) return { text: "null" };
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    const [line = ""] = messageOf(error).split("\n", 1);
    return { reason: `is not JSON: ${cutText(line, REASON_BYTES)}` };
  }
  if (text === undefined) return { reason: `is not JSON: it is a ${typeof value}` };
  const bytes = bytesAbove(text, limitBytes);
  return bytes === 0 ? { text } : { reason: `has ${bytes} bytes as JSON; at most ${limitBytes} are taken` };
}
