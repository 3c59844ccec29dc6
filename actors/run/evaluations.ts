/**
 * Expressions outside the compiled subset, for one run: which step waits for which evaluation, what is being computed, and the answers until the
 * steps that asked for them have been taken. Nothing of it is durable: it is computed again when needed.
 */
import { toMaestroError } from "../../runtime/errors.ts";
import type { Outcome } from "../../runtime/kernel/context.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ExternalAnswer, ExternalRequest } from "../language/expression.ts";
import type { Frame } from "./core/state.ts";
import type { PendingStep } from "./core/turn.ts";
import type { RunServices } from "./run-services.ts";

/** When to try again what the evaluator could not do now, unless it says when. */
const RETRY_MS = 500;
const NONE: readonly ExternalRequest[] = [];

/** The evaluations of one run. */
export class Evaluations {
  readonly #answers = new Map<string, ExternalAnswer>();
  readonly #underWay = new Set<string>();
  /** Evaluations that wait for a place, by key. */
  readonly #queue = new Map<string, ExternalRequest>();
  /** What each blocked step waits for. */
  readonly #awaited = new Map<Frame | undefined, string>();

  /** True if the step's evaluation is still being computed. */
  isBlocked(frame: Frame | undefined): boolean {
    return this.#awaited.size > 0 && this.#awaited.has(frame);
  }

  /** The answer to a request, if it is known. */
  answer(request: ExternalRequest): ExternalAnswer | undefined {
    return this.#answers.size === 0 ? undefined : this.#answers.get(keyOf(request));
  }

  /** A turn ended with these steps waiting. */
  await(pending: readonly PendingStep[]): void {
    for (const { frame, request } of pending) {
      const key = keyOf(request);
      this.#awaited.set(frame, key);
      if (!this.#underWay.has(key)) this.#queue.set(key, request);
    }
    // Asked at every turn of every run, most of which have none: emptying an empty map is not free.
    if (this.#awaited.size === 0 && this.#answers.size > 0) this.#answers.clear();
  }

  /** The evaluations to be computed now; as many as may be under way at a time. */
  begin(): readonly ExternalRequest[] {
    if (this.#queue.size === 0) return NONE;
    const begun: ExternalRequest[] = [];
    for (const [key, request] of this.#queue) {
      if (this.#underWay.size >= LIMITS.evaluationsPerRun) break;
      this.#queue.delete(key);
      this.#underWay.add(key);
      begun.push(request);
    }
    return begun;
  }

  /**
   * A request was computed, and the steps that wait for it can be taken. If it could not be computed now they ask again: then the answer is when that makes
   * sense, in milliseconds. @throws what asking again does not mend
   */
  settle(request: ExternalRequest, outcome: Outcome<ExternalAnswer>): number | undefined {
    const key = keyOf(request);
    if (outcome.ok) {
      this.#answers.set(key, outcome.value);
      this.#release(key);
      return undefined;
    }
    const failure = toMaestroError(outcome.error);
    if (!failure.retryable) throw outcome.error;
    this.#release(key);
    return failure.retryAfterMs ?? RETRY_MS;
  }

  #release(key: string): void {
    this.#underWay.delete(key);
    for (const [frame, awaited] of this.#awaited) if (awaited === key) this.#awaited.delete(frame);
  }
}

function keyOf(request: ExternalRequest): string {
  return JSON.stringify(request);
}

/** Has an expression computed outside of the run's turns, and tells how long that took. @throws what the evaluator throws */
export async function evaluate({ clock, evaluator, events }: RunServices, request: ExternalRequest): Promise<ExternalAnswer> {
  const startedMs = clock.monotonic();
  try {
    return await evaluator.evaluate(request);
  } finally {
    events.emit("expression.external", { durationMs: clock.monotonic() - startedMs });
  }
}
