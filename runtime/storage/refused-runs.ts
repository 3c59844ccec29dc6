/**
 * The runs of one lane that had a write refused. What a run's actor decided before it heard of the refusal rests on facts that were never
 * stored: it is refused as well, until a write comes that begins where the refused one did, as the writes of an instance that read the run
 * again do. Owns this judgement; a lane asks it twice, when a write comes and when its turn comes. Its memory is bounded.
 */
import type { MaestroError } from "../errors.ts";
import { type RunId, shardOf } from "../ids.ts";
import type { HeldShards } from "./held-shards.ts";
import type { RunWrite } from "./journal.ts";

/**
 * How long a refusal is remembered if no write makes up for it, in milliseconds. By then the actor has heard of it: the answer needs one
 * turn of it. A run whose first write was refused is never written again.
 */
const KEPT_MS = 600_000;

/** Why a run's write failed, and the first ticket that the failure does not touch: a write queued later is judged by {@link Gap}. */
interface Failure {
  readonly error: MaestroError;
  readonly endTicket: number;
}

/** Where a run's history would have a gap. */
interface Gap {
  readonly error: MaestroError;
  /** Number of the first entry that was refused. */
  readonly firstSeq: number;
  /** Of the run's shard when the write was refused. Under another one the run has an actor that never saw what was refused. */
  readonly epoch: number;
  /** True if the run itself was to be created with it. */
  readonly isNewRun: boolean;
  readonly refusedMs: number;
}

/** See the file header. Times are those of a monotonic clock, in milliseconds. */
export class RefusedRuns {
  readonly #bound: number;
  readonly #held: Pick<HeldShards, "epochOf">;
  /** Runs with writes that were queued when an earlier one failed. They end with the queue. */
  readonly #failures = new Map<RunId, Failure>();
  /** The longest unchanged first. */
  readonly #gaps = new Map<RunId, Gap>();
  #checkUntilMs = Number.NEGATIVE_INFINITY;

  /** `bound`: gaps that are remembered. `held`: for the epochs of shards. */
  constructor(bound: number, held: Pick<HeldShards, "epochOf">) {
    this.#bound = bound;
    this.#held = held;
  }

  /** The error with which a new write has to be refused, or undefined. A write of the head alone rests on no entry, but needs its run. */
  judgeNew({ runId, entryCount, firstSeq }: RunWrite): MaestroError | undefined {
    const gap = this.#gaps.get(runId);
    if (gap === undefined || gap.epoch !== this.#held.epochOf(shardOf(runId))) return undefined;
    const restsOnGap = entryCount === 0 ? gap.isNewRun : firstSeq > gap.firstSeq;
    return restsOnGap ? gap.error : undefined;
  }

  /** The error with which a queued write has to be refused now that its turn has come, or undefined. */
  judgeQueued(write: RunWrite, ticket: number): MaestroError | undefined {
    const failure = this.#failures.get(write.runId);
    if (failure === undefined || ticket >= failure.endTicket) return undefined;
    return write.entryCount === 0 ? this.judgeNew(write) : failure.error;
  }

  /** A write was queued: what it begins with is no gap any more. */
  noteQueued({ runId, entryCount }: RunWrite): void {
    if (entryCount > 0) this.#gaps.delete(runId);
  }

  /** The store refused a write of a run: what the run has queued by now, up to `endTicket`, fails with it. */
  noteFailed(runId: RunId, error: MaestroError, endTicket: number): void {
    this.#failures.set(runId, { error, endTicket });
  }

  /** A write was refused, by whomever. A run that is there has no gap because somebody wanted to create it once more: what it writes must pass. */
  noteRefused({ runId, entryCount, firstSeq, create }: RunWrite, error: MaestroError, nowMs: number): void {
    if (entryCount === 0 || error.code === "RUN_EXISTS") return;
    const known = this.#gaps.get(runId);
    const epoch = this.#held.epochOf(shardOf(runId));
    const isKnown = known !== undefined && known.epoch === epoch && known.firstSeq <= firstSeq;
    const gap = isKnown ? known : { error, firstSeq, epoch, isNewRun: create !== undefined };
    this.#gaps.delete(runId);
    this.#gaps.set(runId, { ...gap, refusedMs: nowMs });
    if (this.#gaps.size > this.#bound) this.#dropOldest();
  }

  /** Forgets what has served: failures of what was queued before the ticket `front`, and gaps that are old. */
  forget(front: number, nowMs: number): void {
    for (const [runId, { endTicket }] of this.#failures) if (endTicket <= front) this.#failures.delete(runId);
    for (const [runId, { refusedMs }] of this.#gaps) {
      if (nowMs - refusedMs < KEPT_MS) break;
      this.#gaps.delete(runId);
    }
  }

  /** True while a gap that is not old had to be forgotten: meanwhile the store has to check that no batch leaves one. */
  mustCheck(nowMs: number): boolean {
    return nowMs < this.#checkUntilMs;
  }

  #dropOldest(): void {
    const [oldest] = this.#gaps;
    if (oldest === undefined) return;
    const [runId, { refusedMs }] = oldest;
    this.#gaps.delete(runId);
    this.#checkUntilMs = refusedMs + KEPT_MS;
  }
}
