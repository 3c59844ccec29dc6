/**
 * Subjects and headers: what is well formed, and which pattern takes which subject. Tokens are joined by dots; in a pattern `*` is any one token and a
 * last `>` is one or more.
 */
import { MaestroError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { BusHeaders } from "./bus.ts";

/** Begins the headers that the bus itself writes. */
export const OWN_HEADER_PREFIX = "Maestro-Bus-";

const SUBJECT = /^[^\s.*>\0]+(\.[^\s.*>\0]+)*$/;
const PATTERN = /^((\*|[^\s.*>\0]+)\.)*(\*|>|[^\s.*>\0]+)$/;
const QUEUE = /^[^\s.*>\0]+$/;
const HEADER_NAME = /^[!-9;-~]+$/;
const LINE_BREAK = /[\r\n]/;

/** Throws FIELD_INVALID unless `subject` can be published on. */
export function checkSubject(subject: string): void {
  if (subject.length <= LIMITS.keyLength && SUBJECT.test(subject)) return;
  throw invalid("subject", `"${subject.slice(0, LIMITS.keyLength)}" is not made of tokens joined by dots`);
}

/** Throws FIELD_INVALID unless `pattern` can be subscribed to. */
export function checkPattern(pattern: string): void {
  if (pattern.length <= LIMITS.keyLength && PATTERN.test(pattern)) return;
  throw invalid("subject", `"${pattern.slice(0, LIMITS.keyLength)}" is not made of tokens, * and a last > joined by dots`);
}

/** Throws FIELD_INVALID unless `queue` can be the name of a queue. */
export function checkQueue(queue: string): void {
  if (queue.length <= LIMITS.keyLength && QUEUE.test(queue)) return;
  throw invalid("queue", `"${queue.slice(0, LIMITS.keyLength)}" is not a single token`);
}

/** Throws FIELD_INVALID unless all headers can be sent, and answers how many bytes they have, roughly. */
export function checkHeaders(headers: BusHeaders): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name) || name.startsWith(OWN_HEADER_PREFIX)) throw invalid("headers", `"${name}" is not a name that a header may have`);
    if (LINE_BREAK.test(value)) throw invalid("headers", `the value of "${name}" has more than one line`);
    bytes += name.length + value.length;
  }
  return bytes;
}

/** A test of whether subjects match `pattern`. For wires that route by themselves. */
export function subjectMatcher(pattern: string): (subject: string) => boolean {
  const wanted = pattern.split(".");
  const isOpen = wanted.at(-1) === ">";
  if (isOpen) wanted.pop();
  return (subject) => {
    const tokens = subject.split(".");
    if (isOpen ? tokens.length <= wanted.length : tokens.length !== wanted.length) return false;
    return wanted.every((token, index) => token === "*" || token === tokens[index]);
  };
}

function invalid(field: string, reason: string): MaestroError {
  return new MaestroError("FIELD_INVALID", { facts: { field, reason } });
}
