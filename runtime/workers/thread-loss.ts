/**
 * Who is to blame when a thread is lost with several attempts on it: the culprit, if it is known, fails; its neighbours are lost through no
 * fault of their own. If it is not known, all of them are suspects and each is executed alone the next time: then whoever loses its thread is
 * the culprit.
 */
import { LIMITS } from "../limits.ts";
import type { AttemptOutcome } from "./pool.ts";
import { failed, type WireId } from "./protocol.ts";

/** What is known about the loss of a thread. */
export interface ThreadLoss {
  readonly reason: string;
  /** 0: unknown. */
  readonly culprit: WireId;
  /** True if the thread was ended because it no longer answered. */
  readonly blocked: boolean;
  /** Attempts that were on it. */
  readonly attempts: number;
  /** True if other threads ended with it, for a reason that may lie on any of them. */
  readonly withOthers: boolean;
}

/** The outcome of the attempt `id` that was on a lost thread and had, or had not, a verdict. Pure. */
export function outcomeOfLoss(id: WireId, verdict: AttemptOutcome | undefined, loss: ThreadLoss): AttemptOutcome {
  const blameless = loss.culprit !== 0 && loss.culprit !== id;
  if (verdict?.kind === "cancelled") return verdict;
  // A neighbour's endless loop made it exceed its bound.
  if (verdict !== undefined && !(loss.blocked && blameless)) return verdict;
  const guilty = loss.culprit === id || (loss.culprit === 0 && loss.attempts === 1 && !loss.withOthers);
  return failed(guilty ? "crashed" : "lost", guilty ? loss.reason : `A neighbour's or an unknown fault ended the thread: ${loss.reason}`);
}

/** Remembers which tasks lost their thread, by their idempotency keys, and so which must not share one. */
export class LossMemory {
  /** Losses in a row. */
  readonly #losses = new Map<string, number>();

  /** True if the task is to be executed with nothing beside it: it may be a culprit, it was one, or it has lost enough to its neighbours. */
  mustBeAlone(idempotencyKey: string): boolean {
    return this.#losses.size > 0 && (this.#losses.get(idempotencyKey) ?? 0) >= LIMITS.lossesPerTask;
  }

  /** Takes note of how an attempt ended, with the loss of its thread if it ended by that. What ends without a loss is forgiven. */
  note(idempotencyKey: string, outcome: AttemptOutcome, loss?: ThreadLoss): void {
    const earlier = this.#losses.get(idempotencyKey) ?? 0;
    if (this.#losses.size > 0) this.#losses.delete(idempotencyKey);
    if (loss === undefined || outcome.kind !== "failed") return;
    const isNeighbour = outcome.error.kind === "lost" && loss.culprit !== 0;
    this.#losses.set(idempotencyKey, isNeighbour ? earlier + 1 : LIMITS.lossesPerTask);
    if (this.#losses.size > LIMITS.rememberedLosses) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const key of this.#losses.keys()) {
      this.#losses.delete(key);
      return;
    }
  }
}
