/**
 * The state of one evaluation: its scope and its budget. Every loop and every growing value is charged to the budget, so that an expression
 * can neither run for long nor fill the memory.
 */
import { LIMITS } from "../../../runtime/limits.ts";
import type { Json } from "../../json.ts";
import type { Scope } from "../expression.ts";

/** The budget is spent. `try` doesn't catch it. */
export class BudgetSpent extends Error {
  override readonly name = "BudgetSpent";
}

/** Characters of text that cost one step. */
const CHARACTERS_PER_STEP = 32;

/** One evaluation. */
export class Machine {
  /** Set once a number beyond JSON (NaN, infinity) may be in a value; the result must then be looked through. */
  beyondJson = false;
  readonly #scope: Scope;
  readonly #names: readonly string[];
  readonly #values: (Json | undefined)[] = [];
  #stepsLeft: number = LIMITS.expressionSteps;

  /** `names`: the free variables of the program, by slot. */
  constructor(scope: Scope, names: readonly string[]) {
    this.#scope = scope;
    this.#names = names;
  }

  /** Takes steps from the budget. Throws {@link BudgetSpent}. */
  charge(steps: number): void {
    this.#stepsLeft -= steps;
    if (this.#stepsLeft < 0) throw new BudgetSpent(`more than ${LIMITS.expressionSteps} steps`);
  }

  /** Takes the steps for a text of this length. Throws {@link BudgetSpent}. */
  chargeText(characters: number): void {
    this.charge(1 + characters / CHARACTERS_PER_STEP);
  }

  /** The number, noted if it is beyond JSON. */
  number(value: number): number {
    if (!Number.isFinite(value)) this.beyondJson = true;
    return value;
  }

  /** Value of the free variable in a slot; undefined if the scope has none of that name. */
  variable(slot: number): Json | undefined {
    const known = this.#values[slot];
    if (known !== undefined) return known;
    const value = this.#scope.variable(this.#names[slot] as string);
    this.#values[slot] = value;
    return value;
  }
}

/** Variables in force, innermost first. The outermost entry only carries the machine. */
export interface Environment {
  readonly machine: Machine;
  readonly value: Json;
  readonly parent: Environment | undefined;
}
