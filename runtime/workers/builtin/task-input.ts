/**
 * Reads the input of built-in handlers. What is wrong with it is the workflow's mistake: a validation error that no repetition mends.
 */
import { TaskError } from "../define-task.ts";

const ERRORS = "https://open-workflow-specification.org/spec/1.0.0/errors";

/** Types of the errors that built-in handlers raise, or are refused with. */
export const ERROR_TYPES = Object.freeze({
  validation: `${ERRORS}/validation`,
  communication: `${ERRORS}/communication`,
  runtime: `${ERRORS}/runtime`,
  authorization: `${ERRORS}/authorization`,
});

/** A refusal of the input's field. */
export function inputInvalid(handler: string, field: string, rule: string): TaskError {
  const message = `The input of ${handler} is not valid: ${field} ${rule}.`;
  return new TaskError(message, { type: ERROR_TYPES.validation, status: 400, title: "Validation Error", retryable: false });
}

/** The input of one handler, read field by field. Each reader throws a TaskError if the field is not what it must be. */
export class TaskInput {
  readonly #handler: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(handler: string, input: unknown) {
    if (!isObject(input)) throw inputInvalid(handler, "it", "must be an object");
    this.#handler = handler;
    this.#fields = input;
  }

  /** The field as it is; undefined if it is absent or null. */
  value(field: string): unknown {
    return this.#fields[field] ?? undefined;
  }

  text(field: string): string | undefined {
    const value = this.value(field);
    if (value === undefined || typeof value === "string") return value;
    throw inputInvalid(this.#handler, field, "must be a string");
  }

  requiredText(field: string): string {
    const value = this.text(field);
    if (value === undefined || value === "") throw inputInvalid(this.#handler, field, "must be given");
    return value;
  }

  flag(field: string): boolean {
    const value = this.value(field) ?? false;
    if (typeof value === "boolean") return value;
    throw inputInvalid(this.#handler, field, "must be true or false");
  }

  choice<T extends string>(field: string, choices: readonly T[], fallback: T): T {
    const value = this.value(field) ?? fallback;
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw inputInvalid(this.#handler, field, `must be one of ${choices.join(", ")}`);
    return found;
  }

  /** An object whose values are text, numbers or flags, as text; null values are left out. */
  texts(field: string): Record<string, string> {
    const value = this.value(field) ?? {};
    if (!isObject(value)) throw inputInvalid(this.#handler, field, "must be an object");
    const texts: Record<string, string> = {};
    for (const [name, item] of Object.entries(value)) {
      if (item !== null && item !== undefined) texts[name] = this.scalar(`${field}.${name}`, item);
    }
    return texts;
  }

  /** A piece of text, a number or a flag, as text. */
  scalar(field: string, value: unknown): string {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
    throw inputInvalid(this.#handler, field, "must be a string, a number or a boolean");
  }
}

/** True for an object that is no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
