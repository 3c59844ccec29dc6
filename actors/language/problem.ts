/**
 * Errors of runs, as problem details (RFC 7807): the standard types of the specification, and whether an error is one that a `catch` names.
 * Pure.
 */
import { isJsonObject, type Json } from "../json.ts";

/** An error of a run. */
export interface Problem {
  /** URI of the kind of error. */
  readonly type: string;
  /** Like an HTTP status. */
  readonly status: number;
  readonly title?: string;
  readonly detail?: string;
  /** JSON pointer of the task in the document. */
  readonly instance?: string;
  /** What the task's handler said beside that, as JSON text. Expressions see the value. */
  readonly data?: string;
}

const FAMILY = "https://open-workflow-specification.org/spec/1.0.0/errors/";

/** Older families of the same types, which documents still name. */
const OLDER_FAMILIES: readonly string[] = [
  "https://serverlessworkflow.io/spec/1.0.0/errors/",
  "https://open-workflow-specification.org/dsl/errors/types/",
  "https://serverlessworkflow.io/dsl/errors/types/",
  "https://serverlessworkflow.io.io/dsl/errors/types/",
];

/** The standard kinds: title, and the status where nothing better is known. */
const STANDARD = {
  configuration: { status: 400, title: "Configuration Error" },
  validation: { status: 400, title: "Validation Error" },
  expression: { status: 400, title: "Expression Error" },
  authentication: { status: 401, title: "Authentication Error" },
  authorization: { status: 403, title: "Authorization Error" },
  timeout: { status: 408, title: "Timeout" },
  communication: { status: 500, title: "Communication Error" },
  runtime: { status: 500, title: "Runtime Error" },
} as const;

/** A standard kind of error. */
export type ProblemKind = keyof typeof STANDARD;

/** The type's URI of a standard kind. */
export function problemType(kind: ProblemKind): string {
  return FAMILY + kind;
}

/**
 * An error of a standard kind. `status` defaults to that of the kind. `detail` may show data: halves of surrogate pairs in it, which can't be stored, are
 * replaced.
 */
export function standardProblem(kind: ProblemKind, detail: string, instance?: string, status: number = STANDARD[kind].status): Problem {
  return {
    type: problemType(kind),
    status,
    title: STANDARD[kind].title,
    detail: detail.toWellFormed(),
    ...(instance === undefined ? {} : { instance }),
  };
}

/** The same type in the family of the current specification, if it is a standard one of an older family; otherwise the type itself. */
function canonicalType(type: string): string {
  const family = OLDER_FAMILIES.find((older) => type.startsWith(older));
  const kind = family === undefined ? "" : type.slice(family.length);
  return Object.hasOwn(STANDARD, kind) ? FAMILY + kind : type;
}

/** True if the error has every field that the filter (`errors.with`) names, with the same value; types are compared across families. */
export function matchesFilter(filter: Json, problem: Problem): boolean {
  if (!isJsonObject(filter)) return false;
  const { type, ...rest } = filter;
  if (type !== undefined && (typeof type !== "string" || canonicalType(type) !== canonicalType(problem.type))) return false;
  const fields = new Map<string, Json>(Object.entries(problem));
  return Object.entries(rest).every(([name, value]) => fields.get(name) === value);
}
