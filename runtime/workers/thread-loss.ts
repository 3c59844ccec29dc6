/**
 * Who is to blame when a thread is lost with several attempts on it: the culprit, if it is known, fails; its neighbours are lost through no
 * fault of their own. Nobody is innocent for ever: what is lost again and again may be the culprit that could not be named.
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
}

/** The outcome of the attempt `id` that was on a lost thread and had, or had not, a verdict. Pure. */
export function outcomeOfLoss(id: WireId, verdict: AttemptOutcome | undefined, loss: ThreadLoss): AttemptOutcome {
  const blameless = loss.culprit !== 0 && loss.culprit !== id;
  if (verdict?.kind === "cancelled") return verdict;
  // A neighbour's endless loop made it exceed its bound.
  if (verdict !== undefined && !(loss.blocked && blameless)) return verdict;
  const guilty = loss.culprit === id || (loss.culprit === 0 && loss.attempts === 1);
  return failed(guilty ? "crashed" : "lost", guilty ? loss.reason : `A neighbour's or an unknown fault ended the thread: ${loss.reason}`);
}

/** Remembers how often in a row a task was lost. */
export class LossMemory {
  readonly #losses = new Map<string, number>();

  /** The outcome to tell for a task, known by its idempotency key: a loss beyond the bound becomes a crash, anything else is forgiven. */
  judge(idempotencyKey: string, outcome: AttemptOutcome): AttemptOutcome {
    if (outcome.kind !== "failed" || outcome.error.kind !== "lost") {
      if (this.#losses.size > 0) this.#losses.delete(idempotencyKey);
      return outcome;
    }
    const losses = (this.#losses.get(idempotencyKey) ?? 0) + 1;
    this.#losses.delete(idempotencyKey);
    if (losses > LIMITS.lossesPerTask) return failed("crashed", `${outcome.error.message} (loss ${losses} in a row)`);
    this.#losses.set(idempotencyKey, losses);
    if (this.#losses.size > LIMITS.rememberedLosses) this.#forgetOldest();
    return outcome;
  }

  #forgetOldest(): void {
    for (const key of this.#losses.keys()) {
      this.#losses.delete(key);
      return;
    }
  }
}
