/**
 * Everything that is wrong with a document, collected so that its author can correct all of it at once. Bounded by
 * LIMITS.documentViolations; what is beyond is counted, not kept.
 */
import { MaestroError, type Violation } from "../../runtime/errors.ts";
import { LIMITS } from "../../runtime/limits.ts";

/** A place in a text. Both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The problems of one document. */
export class Violations {
  readonly #locate: (pointer: string) => Position;
  readonly #found = new Map<string, Violation>();

  /** `locate` gives the place of a JSON pointer in the text. */
  constructor(locate: (pointer: string) => Position) {
    this.#locate = locate;
  }

  /** True if no more are kept: further search is of no use. */
  get full(): boolean {
    return this.#found.size >= LIMITS.documentViolations;
  }

  /** True if nothing is wrong so far. */
  get none(): boolean {
    return this.#found.size === 0;
  }

  /** Adds a problem. `description` says what is wrong and what to do. The same problem at the same place counts once. */
  add(pointer: string, description: string): void {
    if (!this.full) this.addAt(pointer, this.#locate(pointer), description);
  }

  /** Adds a problem whose place in the text is known. */
  addAt(pointer: string, position: Position, description: string): void {
    if (this.full) return;
    const place = `(${position.line}:${position.column})`;
    const field = pointer === "" ? place : `${pointer} ${place}`;
    this.#found.set(`${field} ${description}`, { field, description });
  }

  /** @throws MaestroError DOCUMENT_INVALID with all problems, if there are any. */
  throwIfAny(): void {
    const violations = [...this.#found.values()];
    const [first] = violations;
    if (first === undefined) return;
    const facts = { count: this.full ? `at least ${violations.length}` : violations.length, first: `${first.field}: ${first.description}` };
    throw new MaestroError("DOCUMENT_INVALID", { facts, violations });
  }
}
