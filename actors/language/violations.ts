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

interface Problem {
  readonly pointer: string;
  /** Undefined: still to be found. */
  position: Position | undefined;
  readonly description: string;
}

const BEGINNING: Position = { line: 1, column: 1 };

/** The problems of one document. */
export class Violations {
  readonly #found = new Map<string, Problem>();

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
    if (!this.full) this.#found.set(`${pointer} ${description}`, { pointer, position: undefined, description });
  }

  /** Adds a problem whose place in the text is known. */
  addAt(pointer: string, position: Position, description: string): void {
    if (this.full) return;
    this.#found.set(`${pointer} ${position.line}:${position.column} ${description}`, { pointer, position, description });
  }

  /** Finds the places of all problems: `locate` gives those of JSON pointers, in the same order. */
  async place(locate: (pointers: readonly string[]) => Promise<readonly Position[]>): Promise<void> {
    const problems = [...this.#found.values()].filter(({ position }) => position === undefined);
    if (problems.length === 0) return;
    const positions = await locate(problems.map(({ pointer }) => pointer));
    for (const [index, problem] of problems.entries()) problem.position = positions[index];
  }

  /** @throws MaestroError DOCUMENT_INVALID with all problems, if there are any. Their places must have been found. */
  throwIfAny(): void {
    const violations = [...this.#found.values()].map(violationOf);
    const [first] = violations;
    if (first === undefined) return;
    const facts = { count: this.full ? `at least ${violations.length}` : violations.length, first: `${first.field}: ${first.description}` };
    throw new MaestroError("DOCUMENT_INVALID", { facts, violations });
  }
}

function violationOf({ pointer, position = BEGINNING, description }: Problem): Violation {
  const place = `(${position.line}:${position.column})`;
  return { field: pointer === "" ? place : `${pointer} ${place}`, description };
}
