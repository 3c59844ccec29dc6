/**
 * Invariants. A broken one is a defect of the program, never of its input: it stops the actor that noticed, with the facts.
 */

/** A broken invariant. */
export class InvariantBroken extends Error {
  override readonly name = "InvariantBroken";
}

/** Throws {@link InvariantBroken} unless `condition` holds. `message` says what should have been true. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantBroken(message);
}

/** For the default branch of a switch over a union: makes the compiler prove that every case is handled. */
export function unreachable(value: never): never {
  throw new InvariantBroken(`unhandled case: ${JSON.stringify(value)}`);
}
