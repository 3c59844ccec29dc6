/**
 * JSON values, and payloads: JSON that is kept as text until somebody needs to look inside. Most data only passes through a run (from a
 * worker thread to the journal to the next task), and what is never parsed costs nothing.
 */

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON value as text, as a value, or both; each is made from the other when first asked for. Immutable. */
export class Payload {
  #text: string | undefined;
  #value: Json | undefined;

  private constructor(text: string | undefined, value: Json | undefined) {
    this.#text = text;
    this.#value = value;
  }

  /** From JSON text that is known to be valid. */
  static ofText(text: string): Payload {
    return new Payload(text, undefined);
  }

  /** From a value, which must not be changed afterwards. */
  static of(value: Json): Payload {
    return new Payload(undefined, value);
  }

  /** The JSON text. */
  get text(): string {
    this.#text ??= JSON.stringify(this.#value);
    return this.#text;
  }

  /** The value. Not to be changed. */
  get value(): Json {
    if (this.#value === undefined) this.#value = JSON.parse(this.#text as string) as Json;
    return this.#value;
  }
}

/** The payload `null`. */
export const NULL_PAYLOAD = Payload.of(null);

/** True for JSON objects: not null, not an array. */
export function isJsonObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
