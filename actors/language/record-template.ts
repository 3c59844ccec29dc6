/** An object whose fields are templates of their own: requests to built-in handlers are built of such. Pure. */
import type { Json } from "../json.ts";
import type { Expression, Scope, Template } from "./expression.ts";

/** A template that gives an object. */
export class RecordTemplate implements Template {
  readonly constant: Json | undefined;
  readonly expressions: readonly Expression[];
  readonly #fields: readonly (readonly [name: string, template: Template])[];

  /** Fields without a template are left out. */
  constructor(fields: Readonly<Record<string, Template | undefined>>) {
    this.#fields = Object.entries(fields).flatMap(([name, template]) => (template === undefined ? [] : [[name, template] as const]));
    this.expressions = this.#fields.flatMap(([, template]) => template.expressions);
    const constants = this.#fields.map(([name, template]) => [name, template.constant] as const);
    this.constant = constants.every(isSet) ? Object.fromEntries(constants) : undefined;
  }

  evaluate(scope: Scope): Json {
    return Object.fromEntries(this.#fields.map(([name, template]) => [name, template.evaluate(scope)]));
  }
}

function isSet(entry: readonly [string, Json | undefined]): entry is readonly [string, Json] {
  return entry[1] !== undefined;
}
