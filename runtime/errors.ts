/**
 * The one class of error that crosses a boundary of the product. Its codes, with what they mean, stand in the registry.
 */
import { ERRORS } from "./error-registry.ts";

/** A code of the registry. */
export type ErrorCode = keyof typeof ERRORS;

/** A place in a request or a document that is wrong, and why. */
export interface Violation {
  /** Field of the request, or JSON pointer in the document with line and column. */
  readonly field: string;
  readonly description: string;
}

/** Everything about an error beside its code. */
export interface ErrorDetail {
  /** The facts that the message names. Never secrets. */
  readonly facts?: Readonly<Record<string, string | number>>;
  readonly violations?: readonly Violation[];
  /** When to try again, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** The one class of error that crosses a boundary of the product. */
export class MaestroError extends Error {
  override readonly name = "MaestroError";
  readonly code: ErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;
  readonly violations: readonly Violation[];
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, detail: ErrorDetail = {}) {
    const facts = detail.facts ?? {};
    super(fill(ERRORS[code].message, facts), detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.facts = facts;
    this.violations = detail.violations ?? [];
    this.retryAfterMs = detail.retryAfterMs;
  }

  /** What to do about it. */
  get advice(): string {
    return fill(ERRORS[this.code].advice, this.facts);
  }

  /** True if the same request can succeed later. */
  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
}

/** The error as one of the registry: itself, or INTERNAL around anything else. */
export function toMaestroError(error: unknown): MaestroError {
  if (error instanceof MaestroError) return error;
  return new MaestroError("INTERNAL", { facts: { reason: messageOf(error) }, cause: error });
}

/** The message of anything that was thrown. Never throws: users' code may throw what can't even be looked at. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "an error that can't be shown";
  }
}

function fill(template: string, facts: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(facts, name) ? String(facts[name]) : whole));
}
