/**
 * Runs that have ended as soon as they are started, with the result of W1: what stands behind a gateway that is measured alone.
 */
import type { HistoryEntry, Intake, RunOutcome, Runs, RunView, StartedRun } from "../../actors/runs.ts";
import type { Clock } from "../../runtime/clock.ts";
import { newRunId, type RunId, SHARD_COUNT } from "../../runtime/ids.ts";
import type { Random } from "../../runtime/random.ts";
import type { RunRecord } from "../../runtime/storage/journal.ts";
import { WORKLOADS } from "./workload.ts";

const { start, output } = WORKLOADS.w1;
const ENDED = { status: "completed", output, error: undefined } as const;

/** Remembers nothing: every id is that of a run of one workflow which has ended well. */
export class InstantRuns implements Runs {
  /** Takes everything at once. */
  readonly intake: Intake = { isCrowded: false, onceRoomy: () => () => undefined, requireRoom: () => undefined };
  readonly #clock: Clock;
  readonly #random: Random;
  /** The workflow of all runs. */
  workflowId = "";

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  async start(): Promise<StartedRun> {
    return { runId: newRunId(this.#random.uint32() % SHARD_COUNT, this.#clock.now(), this.#random), created: true };
  }

  async execute(): Promise<RunOutcome> {
    return { runId: (await this.start()).runId, ...ENDED };
  }

  async outcome(runId: RunId): Promise<RunOutcome> {
    return { runId, ...ENDED };
  }

  async get(runId: RunId): Promise<RunView> {
    const endedAtMs = this.#clock.now();
    const record = { runId, workflowId: this.workflowId, userId: "bench", labels: {}, wake: 0, createdAtMs: endedAtMs, endedAtMs };
    return { ...record, ...ENDED, input: start.input, activeTasks: [], lastSeq: 8 };
  }

  async list(): Promise<readonly RunRecord[]> {
    return [];
  }

  async history(): Promise<readonly HistoryEntry[]> {
    return [];
  }

  async *watch(): AsyncIterable<HistoryEntry> {
    yield* [];
  }

  async signal(): Promise<void> {
    return;
  }

  async cancel(): Promise<void> {
    return;
  }

  async terminate(): Promise<void> {
    return;
  }

  async release(): Promise<void> {
    return;
  }
}
