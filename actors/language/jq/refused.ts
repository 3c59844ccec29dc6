/**
 * Why an expression is not accepted when a document is compiled.
 */

const SHOWN_CHARACTERS = 200;

/** An expression that can't be accepted, whatever the data. `reason` is a sentence without the source. */
export class ExpressionRefused extends Error {
  override readonly name = "ExpressionRefused";
  readonly source: string;
  readonly reason: string;

  constructor(source: string, reason: string) {
    super(`${reason} in expression: ${source.slice(0, SHOWN_CHARACTERS)}`);
    this.source = source;
    this.reason = reason;
  }
}
