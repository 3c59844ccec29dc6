/**
 * Faults of the memory adapters' store, on demand or from a plan: what a real database and its network do to a batch now and then.
 */

/** What happens to one batch. */
export interface Fault {
  /**
   * - `none`: it is committed and answered;
   * - `lost`: it never arrives, and the lane does not know that;
   * - `answerLost`: it is committed, and the lane does not know that;
   * - `refused`: the store finds something in it that can't be stored.
   */
  readonly kind: "none" | "lost" | "answerLost" | "refused";
  /** How long it takes, in milliseconds. Default 0. */
  readonly delayMs?: number;
}

/** Decides the fault of each batch in turn. */
export type FaultPlan = () => Fault;

const NO_FAULT: Fault = { kind: "none" };

/** The faults of one store. */
export class MemoryFaults {
  readonly #plan: FaultPlan;
  #injected: Fault[] = [];
  /** While true nothing reaches the store, look-ups neither. */
  isDown = false;

  /** `plan`: what happens when nothing was injected. Default: nothing. */
  constructor(plan: FaultPlan = () => NO_FAULT) {
    this.#plan = plan;
  }

  /** Lets the next batches, as many as there are faults, meet these faults. */
  inject(...faults: readonly Fault[]): void {
    this.#injected.push(...faults);
  }

  /** The fault of the next batch. */
  next(): Fault {
    return this.#injected.shift() ?? this.#plan();
  }
}
