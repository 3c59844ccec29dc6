/**
 * Faults inside a jq program: what `error` raises and `try` catches.
 */
import type { Json } from "../../json.ts";
import { typeOf } from "./ordering.ts";

/** A fault that carries a value, mostly a text. */
export class JqFault extends Error {
  override readonly name = "JqFault";
  readonly value: Json;

  constructor(value: Json) {
    super(typeof value === "string" ? value : `${JSON.stringify(value)} (not a string)`);
    this.value = value;
  }
}

/** The value of `compute`, or undefined if it faults. */
export function unlessFault<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch (error) {
    if (error instanceof JqFault) return undefined;
    throw error;
  }
}

/** Bytes of a value that a message shows. */
const SHOWN_BYTES = 29;

/** The value with its type, cut to a few bytes: `number (1)`. */
export function describe(value: Json): string {
  return `${typeOf(value)} (${shown(value)})`;
}

function shown(value: Json): string {
  const text = dump(value, 0);
  const bytes = Buffer.from(text);
  if (bytes.length <= SHOWN_BYTES) return text;
  const closing = closingOf(value);
  let end = SHOWN_BYTES - 3 - closing.length;
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return `${bytes.subarray(0, end).toString()}...${closing}`;
}

function closingOf(value: Json): string {
  if (typeof value === "string") return '"';
  if (typeof value !== "object" || value === null) return "";
  return Array.isArray(value) ? "]" : "}";
}

/** JSON text of a value, at least as much of it as is shown: a large value is not written out for a message. */
function dump(value: Json, length: number): string {
  if (length > SHOWN_BYTES) return "";
  if (typeof value === "string") return JSON.stringify(value.slice(0, SHOWN_BYTES + 1) + (value.length > SHOWN_BYTES + 1 ? "…" : ""));
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "number" && !Number.isFinite(value)) return Number.isNaN(value) ? "null" : String(Math.sign(value) * Number.MAX_VALUE);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  let text = Array.isArray(value) ? "[" : "{";
  let first = true;
  for (const key of Object.keys(value)) {
    if (length + text.length > SHOWN_BYTES) return text;
    if (!first) text += ",";
    first = false;
    if (!Array.isArray(value)) text += `${dump(key, 0)}:`;
    text += dump((value as { readonly [key: string]: Json })[key] as Json, length + text.length);
  }
  return text + (Array.isArray(value) ? "]" : "}");
}
