/**
 * Carries retention out while a node runs: a round through all runs and keys now and then, page by page with pauses between them. Owns the
 * pace. A page that fails ends its round; the next one begins anew.
 */
import type { CancelTimer, Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { EventHub } from "../events.ts";
import type { Retention, RetentionPage } from "./retention.ts";

/** How long after the end of a round the next one begins, in milliseconds. The first one begins as late. */
const ROUND_EVERY_MS = 600_000;
/** Runs or keys of one page, and the pause after it: a page costs the store some 15 ms of CPU, so about a tenth of one core at most. */
const PAGE_ROWS = 500;
const PAUSE_MS = 100;

/** What the sweeper needs. */
export interface RetentionSweeperOptions {
  readonly retention: Retention;
  /** Runs are removed this long after they ended, in milliseconds. */
  readonly keepMs: number;
  readonly clock: Clock;
  readonly events: EventHub;
}

/** The sweeper. */
export class RetentionSweeper {
  readonly #options: RetentionSweeperOptions;
  #cancel: CancelTimer | undefined;
  #page: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: RetentionSweeperOptions) {
    this.#options = options;
  }

  /** Begins, after the first interval. */
  start(): void {
    this.#schedule(ROUND_EVERY_MS, () => this.#round());
  }

  /** Ends; resolves when no page is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel?.();
    await this.#page;
  }

  #schedule(delayMs: number, work: () => Promise<void>): void {
    if (this.#isStopped) return;
    this.#cancel = this.#options.clock.schedule(delayMs, () => {
      this.#page = work().catch((error: unknown) => {
        this.#options.events.emit("retention.failed", { reason: messageOf(error) });
        this.start();
      });
    });
  }

  #round(): Promise<void> {
    const { retention, clock, keepMs } = this.#options;
    const endedBeforeMs = clock.now() - keepMs;
    return this.#pages(
      (after?: Parameters<Retention["removeRuns"]>[2]) => retention.removeRuns(endedBeforeMs, PAGE_ROWS, after),
      (runs) =>
        this.#pages(
          (after?: string) => retention.removeKeys(PAGE_ROWS, after),
          async (keys) => {
            this.#options.events.emit("retention.swept", { runs, keys });
            this.start();
          },
        ),
    );
  }

  /** Does one page now and the others after pauses; then goes on with `done`, which is told how many were removed. */
  async #pages<Cursor>(
    page: (after?: Cursor) => Promise<RetentionPage<Cursor>>,
    done: (removed: number) => Promise<void>,
    before = 0,
    after?: Cursor,
  ): Promise<void> {
    const { removed, next } = await page(after);
    const sum = before + removed;
    if (next === undefined) return done(sum);
    this.#schedule(PAUSE_MS, () => this.#pages(page, done, sum, next));
  }
}
