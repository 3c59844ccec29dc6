/**
 * The slots of executions that go on here although their runs have left. Each execution has a row of its own, whichever node it is on: several nodes may still
 * be stopping the same attempt, and each frees what is its own.
 */
import type { Random } from "../../runtime/random.ts";
import { LINGERING_NUMBERS, lingeringOf, type TaskSlot } from "../../runtime/storage/task-slots.ts";
import { attemptIdOf } from "./attempt-id.ts";

/** See the file header. */
export class LingeringSlots {
  readonly #random: Random;
  /** By the id of the attempt that is executed. */
  readonly #byAttempt = new Map<string, TaskSlot>();
  readonly #names = new Set<string>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** The slot of the execution of an attempt that has `slot`: the same one however often it is asked for, until it has ended. */
  begin(slot: TaskSlot): TaskSlot {
    const id = attemptIdOf(slot);
    const known = this.#byAttempt.get(id);
    if (known !== undefined) return known;
    const lingering = lingeringOf(slot, Math.floor(this.#random.fraction() * LINGERING_NUMBERS));
    this.#byAttempt.set(id, lingering);
    this.#names.add(attemptIdOf(lingering));
    return lingering;
  }

  /** An execution of this attempt has ended: the slot that it had, which is to be freed; undefined if it had none. */
  end(attemptId: string): TaskSlot | undefined {
    const slot = this.#byAttempt.get(attemptId);
    if (slot === undefined) return undefined;
    this.#byAttempt.delete(attemptId);
    this.#names.delete(attemptIdOf(slot));
    return slot;
  }

  /** True if a slot of this name is one of these. */
  has(name: string): boolean {
    return this.#names.has(name);
  }
}
