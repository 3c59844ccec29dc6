/**
 * Brings the results of one lender's attempts to it, those of a turn together, and sends each until it is noted.
 */
import type { Clock } from "../clock.ts";
import type { BootId } from "../ids.ts";
import type { Scheduler } from "../kernel/scheduler.ts";
import { LIMITS } from "../limits.ts";
import type { Random } from "../random.ts";
import { pause } from "../storage/pause.ts";
import type { AttemptOutcome } from "../workers/pool.ts";
import { TurnBatch } from "../workers/turn-batch.ts";
import type { Borrowed } from "./lender-account.ts";
import { pauseAfter, type TaskCalls } from "./task-calls.ts";
import { charsOf, resultMessage } from "./task-messages.ts";

/** What it needs. */
export interface ResultDeliveryOptions {
  readonly lender: BootId;
  readonly calls: Pick<TaskCalls, "ask">;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  /** Called when the lender has noted results. */
  onNoted(results: readonly Borrowed[]): void;
  /** A call failed in a way that is none of the network's. */
  onTrouble(error: unknown): void;
}

/** The delivery to one lender. */
export class ResultDelivery {
  readonly #options: ResultDeliveryOptions;
  readonly #unsent = new Set<Borrowed>();
  readonly #ofTurn: TurnBatch<void>;
  #isDelivering = false;

  constructor(options: ResultDeliveryOptions) {
    this.#options = options;
    this.#ofTurn = new TurnBatch(() => void this.#deliver(), options.scheduler);
  }

  /** Results that are not noted. */
  get size(): number {
    return this.#unsent.size;
  }

  /** Delivers the outcome of an attempt that has ended. */
  add(borrowed: Borrowed): void {
    this.#unsent.add(borrowed);
    this.#ofTurn.schedule();
  }

  /** Forgets all of them: the lender is no more. */
  close(): void {
    this.#unsent.clear();
  }

  async #deliver(): Promise<void> {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    const { clock, random, onTrouble } = this.#options;
    for (let failures = 0; this.#unsent.size > 0; ) {
      const isNoted = await this.#send(this.#lot()).catch((error: unknown) => {
        onTrouble(error);
        return false;
      });
      failures = isNoted ? 0 : failures + 1;
      if (!isNoted) await pause(pauseAfter(failures, random), clock);
    }
    this.#isDelivering = false;
  }

  async #send(lot: readonly Borrowed[]): Promise<boolean> {
    const { calls, lender, onNoted } = this.#options;
    const results = lot.map((borrowed) => resultMessage(borrowed.id, outcomeOf(borrowed)));
    const answer = await calls.ask(lender, 0, { $case: "results", value: { results } });
    if (answer?.$case !== "noted") return false;
    onNoted(lot.filter((borrowed) => this.#unsent.delete(borrowed)));
    return true;
  }

  /** As many of them as travel together, at least one. */
  #lot(): readonly Borrowed[] {
    const lot: Borrowed[] = [];
    let chars = 0;
    for (const borrowed of this.#unsent) {
      chars += charsOf(outcomeOf(borrowed));
      if (lot.length > 0 && (lot.length >= LIMITS.resultsPerCall || chars > LIMITS.resultCallChars)) break;
      lot.push(borrowed);
    }
    return lot;
  }
}

function outcomeOf({ outcome }: Borrowed): AttemptOutcome {
  return outcome ?? { kind: "cancelled" };
}
