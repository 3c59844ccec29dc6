/**
 * Outcomes of attempts that no commit has confirmed: each is offered to its run at once, and again until somebody forgets it. Owns when; what an outcome means
 * is up to the run.
 */
import type { CancelTimer, Clock } from "../../runtime/clock.ts";
import type { AttemptOutcome } from "../../runtime/workers/pool.ts";
import type { UnderWay } from "./under-way.ts";

/** First and longest time after which an outcome is offered again that no commit has confirmed. */
const REOFFER_FIRST_MS = 1_000;
const REOFFER_MAX_MS = 30_000;

/** One outcome. */
interface Offered {
  readonly attempt: UnderWay;
  readonly outcome: AttemptOutcome;
  /** When it is offered again, on the monotonic clock, and how long it waits after that. */
  nextMs: number;
  patienceMs: number;
}

/** See the file header. */
export class OutcomeOffers {
  readonly #clock: Clock;
  readonly #settle: (attempt: UnderWay, outcome: AttemptOutcome) => void;
  readonly #offered = new Map<string, Offered>();
  #cancel: CancelTimer | undefined;
  #closed = false;

  /** `settle` hands an outcome to its run, which may be told the same outcome again. */
  constructor(clock: Clock, settle: (attempt: UnderWay, outcome: AttemptOutcome) => void) {
    this.#clock = clock;
    this.#settle = settle;
  }

  /** Offers the outcome of an attempt until it is forgotten. */
  add(id: string, attempt: UnderWay, outcome: AttemptOutcome): void {
    const offered: Offered = { attempt, outcome, nextMs: 0, patienceMs: REOFFER_FIRST_MS };
    this.#offered.set(id, offered);
    this.#offer(offered);
    this.#arm();
  }

  /** Offers the outcome of an attempt again now, if there is one. */
  repeat(id: string): void {
    const offered = this.#offered.get(id);
    if (offered !== undefined) this.#offer(offered);
  }

  /** Offers an outcome no more. */
  forget(id: string): void {
    this.#offered.delete(id);
  }

  /** Offers nothing any more. */
  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  #offer(offered: Offered): void {
    if (this.#closed) return;
    offered.nextMs = this.#clock.monotonic() + offered.patienceMs;
    offered.patienceMs = Math.min(2 * offered.patienceMs, REOFFER_MAX_MS);
    this.#settle(offered.attempt, offered.outcome);
  }

  /** An outcome that met a full mailbox, or an actor that failed before it was stored, comes again. */
  #arm(): void {
    if (this.#closed || this.#cancel !== undefined) return;
    this.#cancel = this.#clock.schedule(REOFFER_FIRST_MS, () => {
      this.#cancel = undefined;
      const nowMs = this.#clock.monotonic();
      for (const offered of this.#offered.values()) if (offered.nextMs <= nowMs) this.#offer(offered);
      if (this.#offered.size > 0) this.#arm();
    });
  }
}
