/**
 * The syntax tree of the jq subset that is compiled. Pure data; made by parser.ts, read by the compiler.
 */
import type { Json } from "../../json.ts";

/** `+ - * / %`. */
export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%";

/** The six comparisons. */
export type ComparisonOperator = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** The assignments: plain, update, and arithmetic or alternative update. */
export type UpdateOperator = "=" | "|=" | "//=" | `${ArithmeticOperator}=`;

/** What follows `as`. */
export type Pattern =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "items"; readonly items: readonly Pattern[] }
  | { readonly kind: "fields"; readonly fields: readonly FieldPattern[] };

/** One field of an object pattern: `$name`, `key: pattern` or `$name: pattern`. */
export interface FieldPattern {
  readonly key: string;
  /** Variable that holds the field's value too: `{$name}`. */
  readonly name: string | undefined;
  readonly pattern: Pattern | undefined;
}

/** One field of an object construction. */
export interface Field {
  readonly key: Node;
  readonly value: Node;
}

/** A filter. */
export type Node =
  | { readonly kind: "identity" }
  | { readonly kind: "literal"; readonly value: Json }
  /** A string with interpolations: texts and filters in order. */
  | { readonly kind: "text"; readonly parts: readonly (string | Node)[] }
  | { readonly kind: "variable"; readonly name: string }
  /** With `optional` (`.a?`) a value that has no such parts gives none; faults of the target and the key are not caught. */
  | { readonly kind: "index"; readonly target: Node; readonly key: Node; readonly optional: boolean }
  | { readonly kind: "slice"; readonly target: Node; readonly from: Node | undefined; readonly to: Node | undefined; readonly optional: boolean }
  | { readonly kind: "iterate"; readonly target: Node; readonly optional: boolean }
  /** `try body catch handler`; `body?` has no handler. */
  | { readonly kind: "try"; readonly body: Node; readonly handler: Node | undefined }
  | { readonly kind: "array"; readonly body: Node | undefined }
  | { readonly kind: "object"; readonly fields: readonly Field[] }
  | { readonly kind: "negate"; readonly operand: Node }
  | { readonly kind: "pipe"; readonly left: Node; readonly right: Node }
  | { readonly kind: "comma"; readonly left: Node; readonly right: Node }
  | { readonly kind: "alternative"; readonly left: Node; readonly right: Node }
  | { readonly kind: "and"; readonly left: Node; readonly right: Node }
  | { readonly kind: "or"; readonly left: Node; readonly right: Node }
  | { readonly kind: "arithmetic"; readonly operator: ArithmeticOperator; readonly left: Node; readonly right: Node }
  | { readonly kind: "comparison"; readonly operator: ComparisonOperator; readonly left: Node; readonly right: Node }
  | { readonly kind: "update"; readonly operator: UpdateOperator; readonly left: Node; readonly right: Node }
  | { readonly kind: "if"; readonly condition: Node; readonly then: Node; readonly otherwise: Node | undefined }
  | { readonly kind: "bind"; readonly source: Node; readonly pattern: Pattern; readonly body: Node }
  | { readonly kind: "reduce"; readonly source: Node; readonly pattern: Pattern; readonly initial: Node; readonly update: Node }
  | {
      readonly kind: "foreach";
      readonly source: Node;
      readonly pattern: Pattern;
      readonly initial: Node;
      readonly update: Node;
      readonly extract: Node | undefined;
    }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Node[] };

/** Node of a kind. */
export type NodeOf<K extends Node["kind"]> = Extract<Node, { readonly kind: K }>;

/** The source is not in the subset: its grammar, or a name in it, is unknown here. The reference implementation decides. */
export class OutsideSubset extends Error {
  override readonly name = "OutsideSubset";
}
