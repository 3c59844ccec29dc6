/**
 * Checks of single fields of a request. Each gives the reason why a value is refused, or undefined; {@link Fields} collects the reasons of
 * one request, so that a client learns of all its mistakes at once. Pure.
 */
import { MaestroError, type Violation } from "../../runtime/errors.ts";
import { isUuid, parseRunId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";

/** Default of every `namespace` that names one workflow. */
export const DEFAULT_NAMESPACE = "default";

/** Rows on a page when the request asks for 0. */
export const DEFAULT_PAGE_ROWS = 50;

/** As in documents: a label of RFC 1123 in any case. */
const LABEL = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;
/** The characters of a semantic version; whether it is one was decided when the document was deployed. */
const VERSION = /^[0-9A-Za-z.+-]{1,128}$/;
/** PostgreSQL takes no NUL, and no terminal should be sent the others. */
const CONTROL = /\p{Cc}/u;

/** The mistakes of one request. Costs nothing while there are none. */
export class Fields {
  #violations: Violation[] | undefined;

  /** Notes a mistake unless `reason` is undefined. */
  check(field: string, reason: string | undefined): void {
    if (reason === undefined) return;
    this.#violations ??= [];
    this.#violations.push({ field, description: reason });
  }

  /** True if no mistake was noted. */
  get areValid(): boolean {
    return this.#violations === undefined;
  }

  /** @throws FIELD_INVALID with all mistakes, if there are any. Its facts name the first. */
  refuse(): void {
    const [first] = this.#violations ?? [];
    if (first === undefined) return;
    throw new MaestroError("FIELD_INVALID", { facts: { field: first.field, reason: first.description }, violations: this.#violations ?? [] });
  }
}

/** Of a name or a namespace that must be given. */
export function labelReason(text: string): string | undefined {
  if (text === "") return "is required.";
  return LABEL.test(text) ? undefined : "must have 1 to 63 letters, digits and -, and begin and end with a letter or a digit.";
}

/** Of a name or a namespace; empty is all right. */
export function optionalLabelReason(text: string): string | undefined {
  return text === "" ? undefined : labelReason(text);
}

/** Of a version; empty is all right and means the latest, or all. */
export function versionReason(text: string): string | undefined {
  return text === "" || VERSION.test(text) ? undefined : "must be a semantic version: 1.0.0.";
}

/** Of a run's id. */
export function runIdReason(text: string): string | undefined {
  if (parseRunId(text) !== undefined) return undefined;
  if (text === "") return "is required.";
  return isUuid(text.toLowerCase()) ? "is a UUID, but not the id of a run, which is of version 7." : "must be a UUID of version 7.";
}

/** Of a text that a person wrote or a key; `required` tells whether it may be empty. */
export function textReason(text: string, required: boolean): string | undefined {
  if (text === "") return required ? "is required." : undefined;
  if (text.length > LIMITS.keyLength) return `has ${text.length} characters; at most ${LIMITS.keyLength} are taken.`;
  return CONTROL.test(text) ? "must not have control characters." : undefined;
}

/** Of a run's labels. */
export function labelsReason(labels: Readonly<Record<string, string>>): string | undefined {
  let count = 0;
  for (const name in labels) {
    count += 1;
    const reason = textReason(name, true) ?? textReason(labels[name] ?? "", false);
    if (reason !== undefined) return `the label ${JSON.stringify(name.slice(0, LIMITS.keyLength))} ${reason}`;
  }
  return count <= LIMITS.labels ? undefined : `has ${count} labels; at most ${LIMITS.labels} are taken.`;
}

/** Of a number of rows; 0 asks for the default. */
export function pageSizeReason(rows: number): string | undefined {
  return Number.isInteger(rows) && rows >= 0 && rows <= LIMITS.pageRows ? undefined : `must be 1 to ${LIMITS.pageRows}, or 0 for the default.`;
}

/** Of a sequence number; 0 asks for the beginning. */
export function seqReason(seq: number): string | undefined {
  return Number.isSafeInteger(seq) && seq >= 0 ? undefined : "must not be negative.";
}
