/**
 * Visitors of the demo's site: ask for a quote again and again while a new version is released, and count who answered. They show what a
 * release, and an undo, looks like from outside.
 */
import type { Clock } from "../../../runtime/clock.ts";
import { pause } from "../../../runtime/storage/pause.ts";

/** Time between an answer and the next question. */
const INTERVAL_MS = 10;

/** What the visitors saw. */
export interface VisitorReport {
  readonly failed: number;
  /** Answers by version, in the order in which the versions were first seen. */
  readonly answeredBy: ReadonlyMap<string, number>;
}

/** Visitors of one site. */
export class DemoVisitors {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #answeredBy = new Map<string, number>();
  #failed = 0;
  #isLeaving = false;
  #visiting: Promise<void> = Promise.resolve();

  constructor(frontUrl: string, clock: Clock) {
    this.#url = `${frontUrl}/quote?weightGrams=1500&distanceKm=120`;
    this.#clock = clock;
  }

  /** Begins. */
  start(): void {
    this.#visiting = this.#visit();
  }

  /** Ends, after the question that is under way. */
  async stop(): Promise<VisitorReport> {
    this.#isLeaving = true;
    await this.#visiting;
    return { failed: this.#failed, answeredBy: this.#answeredBy };
  }

  async #visit(): Promise<void> {
    for (; !this.#isLeaving; await pause(INTERVAL_MS, this.#clock)) {
      const version = await this.#ask();
      if (version === undefined) this.#failed += 1;
      else this.#answeredBy.set(version, (this.#answeredBy.get(version) ?? 0) + 1);
    }
  }

  async #ask(): Promise<string | undefined> {
    try {
      const answer = await fetch(this.#url);
      return answer.ok ? ((await answer.json()) as { version?: string }).version : undefined;
    } catch {
      // Counted as failed by the caller: the reason would not tell a visitor more.
      return undefined;
    }
  }
}
