/** A template without expressions. */
import type { Json } from "../json.ts";
import type { Expression, Scope, Template } from "./expression.ts";

/** Always the same value. */
export class ConstantTemplate implements Template {
  readonly constant: Json;
  readonly expressions: readonly Expression[] = [];

  constructor(value: Json) {
    this.constant = value;
  }

  evaluate(_scope: Scope): Json {
    return this.constant;
  }
}
