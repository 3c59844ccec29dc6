/**
 * The wake-up auditor: checks all the time that every run which has not ended has a reason to wake up, in the store and, for work under way, in
 * memory. A finding is a defect of this program: it is reported first, and then the run is woken.
 */
import type { CancelTimer, Clock } from "../../runtime/clock.ts";
import type { EventHub } from "../../runtime/events.ts";
import { type RunId, shardOf } from "../../runtime/ids.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import type { ServedShards } from "./served-shards.ts";

/** How often the auditor looks. */
const AUDIT_EVERY_MS = 15_000;
/** How long a run may be in motion between store and memory before it counts. */
const AUDIT_GRACE_MS = 30_000;
/** Runs compared with memory in one look. */
const AUDIT_LIMIT = 100_000;

/** What the auditor needs. */
export interface WakeAuditorOptions {
  readonly clock: Clock;
  readonly events: EventHub;
  readonly journal: Pick<Journal, "audit">;
  /** The shards of this node whose runs with work ready were brought to memory. */
  readonly shards: ServedShards;
  /** True if the run has an actor in memory. */
  isResident(runId: RunId): boolean;
  /** True if the run waits for a node of a newer version, and is all right. */
  isLeftToNewer(runId: RunId): boolean;
  /** Reads a run back and pushes it on. */
  wake(runId: RunId): void;
  /** The store could not be asked; it is tried again. */
  onAuditFailed(error: unknown): void;
}

/** See the file header. */
export class WakeAuditor {
  readonly #options: WakeAuditorOptions;
  #cancel: CancelTimer | undefined;
  #stopped = false;
  /** Where the next look goes on with the runs that wait for timers. */
  #after: RunId | undefined;

  constructor(options: WakeAuditorOptions) {
    this.#options = options;
  }

  /** Looks from time to time, beginning after the first interval. */
  start(): void {
    this.#arm();
  }

  /** Stops looking. What a look that is under way finds counts no more: the runs leave memory now, ready or not. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** Looks once: reports, wakes, and answers the runs that nothing would have woken. `graceMs`: see `Journal.audit`. */
  async audit(graceMs = AUDIT_GRACE_MS): Promise<readonly RunId[]> {
    const { lost: suspects, next } = await this.#look(graceMs);
    // A run may have ended while the answer was on its way, and have left memory for that: only what is found a second time is lost.
    const again = new Set(suspects.length > 0 ? (await this.#look(graceMs)).lost : []);
    if (this.#stopped) return [];
    const lost = suspects.filter((runId) => again.has(runId));
    this.#after = next;
    this.#options.events.emit("run.withoutWakeup", { runIds: lost });
    for (const runId of lost) this.#options.wake(runId);
    return lost;
  }

  async #look(graceMs: number): Promise<{ readonly lost: readonly RunId[]; readonly next: RunId | undefined }> {
    const { journal, shards, isResident, isLeftToNewer } = this.#options;
    const { withoutWake, ready, next } = await journal.audit(shards.current, graceMs, AUDIT_LIMIT, this.#after);
    const unheld = ready.filter((runId) => !isResident(runId));
    const lost = [...withoutWake, ...unheld].filter((runId) => shards.has(shardOf(runId)) && !isLeftToNewer(runId));
    return { lost, next };
  }

  #arm(): void {
    this.#cancel = this.#options.clock.schedule(AUDIT_EVERY_MS, () => {
      this.audit()
        .catch((error: unknown) => this.#options.onAuditFailed(error))
        .finally(() => {
          if (!this.#stopped) this.#arm();
        });
    });
  }
}
