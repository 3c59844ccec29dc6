/**
 * The runs of a cluster behind the port `Runs`: each call goes to the run's actor, in this node or in another. Where that is may change at any moment, so a
 * call that finds nobody, or somebody who is the owner no more, is sent again until its time is up: a client never hears of it. Sending again does no harm,
 * because a start has its run's id, and a signal an id of its own.
 */
import type { RunAnswer, RunCall } from "../../proto/gen/maestro/cluster/v1/run_call.ts";
import { MaestroError, toMaestroError } from "../../runtime/errors.ts";
import { newRunId, newUuid, type RunId, SHARD_COUNT, shardOf } from "../../runtime/ids.ts";
import type { Random } from "../../runtime/random.ts";
import type { RunFilter, RunRecord } from "../../runtime/storage/journal.ts";
import type { NodeView, OwnershipView } from "../../runtime/storage/ownership-view.ts";
import type { LocalRuns } from "../run/local-runs.ts";
import type { ShardGate } from "../run/shard-gate.ts";
import type { HistoryEntry, Intake, RunOutcome, RunSignal, Runs, RunView, StartedRun, StartRun } from "../runs.ts";
import type { ClusterMap } from "./cluster-map.ts";
import { CommandLines, type CommandResult, type LinedCommand } from "./command-lines.ts";
import { errorOf } from "./failure-message.ts";
import { MapChanges } from "./map-changes.ts";
import { isOwnerTrouble, OwnerCalls, type OwnerCallsOptions, type Reply } from "./owner-calls.ts";
import { isAnswer, obey, type RoutedCommand } from "./routed-command.ts";
import { followGrowth, LONGEST_WAIT_MS } from "./routed-growth.ts";
import { commandMessage, outcomeOfMessage, startMessage, viewOfMessage } from "./run-messages.ts";
import { anyShardOf, RunPlacement } from "./run-placement.ts";

/** Longest wait for a commit before the caller is told that its fate is open. */
const COMMIT_TIMEOUT_MS = 60_000;
/** After this time without an answer the owner is asked again: call or answer may be lost. */
const ASK_AGAIN_MS = 5_000;
/** For how long an owner is asked how a run stands, before the store is read instead. */
const DESCRIBE_MS = 1_000;

/** What it needs. */
export interface RoutedRunsOptions extends OwnerCallsOptions {
  readonly local: LocalRuns;
  readonly gate: ShardGate;
}

/** See the file header. */
export class RoutedRuns implements Runs {
  readonly #options: RoutedRunsOptions;
  readonly #local: LocalRuns;
  readonly #gate: ShardGate;
  readonly #map: ClusterMap;
  readonly #calls: OwnerCalls;
  readonly #changes: MapChanges;
  readonly #lines: CommandLines;
  #placement: { readonly view: OwnershipView; readonly nodes: RunPlacement } | undefined;

  constructor(options: RoutedRunsOptions) {
    const { clock, map } = options;
    this.#options = options;
    this.#local = options.local;
    this.#gate = options.gate;
    this.#map = map;
    this.#calls = new OwnerCalls(options);
    this.#changes = new MapChanges(options);
    this.#lines = new CommandLines({
      clock,
      timeoutMs: COMMIT_TIMEOUT_MS,
      deliver: (runId, commands, timeoutMs) => this.#deliver(runId, commands, timeoutMs),
      pause: (attempt) => this.#changes.wait(map.view.version, attempt),
    });
  }

  get intake(): Intake {
    return this.#local.intake;
  }

  async start(request: StartRun): Promise<StartedRun> {
    const elsewhere = this.#elsewhere();
    if (elsewhere !== undefined) return this.#startAs(this.#newRunOn(elsewhere), request, false);
    try {
      return await this.#local.start(request);
    } catch (error) {
      return this.#startAs(this.#runOf(error), request, namesRun(error));
    }
  }

  async execute(request: StartRun, signal: AbortSignal): Promise<RunOutcome> {
    if (request.idempotencyKey !== undefined) return this.outcome((await this.start(request)).runId, signal);
    const elsewhere = this.#elsewhere();
    if (elsewhere !== undefined) return this.#executeAs(this.#newRunOn(elsewhere), request, false, signal);
    try {
      return await this.#local.execute(request, signal);
    } catch (error) {
      return this.#executeAs(this.#runOf(error), request, namesRun(error), signal);
    }
  }

  async outcome(runId: RunId, signal: AbortSignal): Promise<RunOutcome> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const { version } = this.#map.view;
      const found = this.#gate.serves(runId) ? await this.#outcomeHere(runId, signal) : await this.#outcomeThere(runId, signal);
      if (found === "notYet") attempt = -1;
      else if (found !== "trouble") return found;
      else await this.#changes.wait(version, attempt, signal);
    }
    throw new MaestroError("REQUEST_CANCELLED");
  }

  async get(runId: RunId): Promise<RunView> {
    try {
      if (this.#gate.serves(runId)) return await this.#local.get(runId);
    } catch (error) {
      if (!isOwnerTrouble(error)) throw error;
    }
    const reply = await this.#calls.ask(runId, { $case: "describe", value: {} }, { timeoutMs: DESCRIBE_MS });
    if (reply.kind === "failed") throw reply.error;
    if (reply.kind === "answer" && reply.answer.$case === "view") return viewOfMessage(runId, reply.answer.value);
    return this.#local.stored(runId);
  }

  list(filter: RunFilter, limit: number, after?: RunId): Promise<readonly RunRecord[]> {
    return this.#local.list(filter, limit, after);
  }

  history(runId: RunId, fromSeq: number, limit: number): Promise<readonly HistoryEntry[]> {
    return this.#local.history(runId, fromSeq, limit);
  }

  watch(runId: RunId, fromSeq: number, signal: AbortSignal): AsyncIterable<HistoryEntry> {
    const [calls, changes, local] = [this.#calls, this.#changes, this.#local];
    const parts = { ...this.#options, calls, changes, onLocalGrowth: local.onGrowth.bind(local) };
    return local.watchWith((listener, seenSeq) => followGrowth(parts, runId, listener, seenSeq), runId, fromSeq, signal);
  }

  signal(runId: RunId, signal: RunSignal): Promise<void> {
    return this.#command(runId, { kind: "signal", signal });
  }

  cancel(runId: RunId, reason: string): Promise<void> {
    return this.#command(runId, { kind: "cancel", reason });
  }

  terminate(runId: RunId, reason: string): Promise<void> {
    return this.#command(runId, { kind: "terminate", reason });
  }

  release(runId: RunId): Promise<void> {
    return this.#command(runId, { kind: "release" });
  }

  /** Gives up what is under way, when the node ends. */
  close(): void {
    this.#calls.close();
    this.#changes.close();
  }

  /** The node for a new run, if it is not this one. */
  #elsewhere(): NodeView | undefined {
    const { view } = this.#map;
    if (this.#placement?.view !== view) this.#placement = { view, nodes: new RunPlacement(this.#map) };
    return this.#placement.nodes.choose(this.#options.random);
  }

  #newRunOn(node: NodeView): RunId {
    const { clock, random } = this.#options;
    return newRunId(anyShardOf(node, random), clock.now(), random);
  }

  /**
   * The run that was to be started here when its shard went away. A node that lets nobody in gives the run to any. @throws `error`, if it is another, or does
   * not say which run it means: to make a new one of it might be to begin it twice
   */
  #runOf(error: unknown): RunId {
    if (!isOwnerTrouble(error)) throw error;
    const { clock, random } = this.#options;
    const runId = error.facts.runId as RunId | undefined;
    if (runId !== undefined) return runId;
    if (error.code !== "NODE_STOPPING") throw error;
    const elsewhere = this.#elsewhere();
    return elsewhere === undefined ? newRunId(random.uint32() % SHARD_COUNT, clock.now(), random) : this.#newRunOn(elsewhere);
  }

  /** Starts a run under its id, wherever its shard is; resolves after its commit. */
  async #startAs(runId: RunId, request: StartRun, isRepeat: boolean, signal?: AbortSignal): Promise<StartedRun> {
    const untilMs = this.#options.clock.monotonic() + COMMIT_TIMEOUT_MS;
    for (let attempt = 0, mayBeDone = isRepeat; ; attempt += 1) {
      const { version } = this.#map.view;
      const leftMs = untilMs - this.#options.clock.monotonic();
      if (signal?.aborted === true) throw new MaestroError("REQUEST_CANCELLED");
      if (leftMs <= 0) throw new MaestroError("TIMED_OUT", { facts: { what: "The commit of the run", timeoutMs: COMMIT_TIMEOUT_MS } });
      const reply = this.#gate.serves(runId)
        ? await this.#startHere(runId, request, mayBeDone)
        : await this.#startThere(runId, request, mayBeDone, leftMs);
      if (!("kind" in reply)) return reply;
      if (reply.kind === "failed" && isAnswer(reply.error, mayBeDone)) throw reply.error;
      mayBeDone ||= reply.kind === "trouble" && reply.mayBeDone;
      await this.#changes.wait(version, attempt, signal);
    }
  }

  async #startHere(runId: RunId, request: StartRun, isRepeat: boolean): Promise<StartedRun | Reply> {
    try {
      return await this.#local.startAs(runId, request, isRepeat);
    } catch (error) {
      return isOwnerTrouble(error) ? TROUBLE : { kind: "failed", error: toMaestroError(error) };
    }
  }

  async #startThere(runId: RunId, request: StartRun, isRepeat: boolean, leftMs: number): Promise<StartedRun | Reply> {
    const call = { $case: "start", value: startMessage(request, isRepeat) } as const;
    const reply = await this.#calls.ask(runId, call, { timeoutMs: Math.min(leftMs, ASK_AGAIN_MS) });
    if (reply.kind !== "answer") return reply;
    if (reply.answer.$case !== "started") return unexpected(runId);
    return { runId: reply.answer.value.runId as RunId, created: reply.answer.value.created };
  }

  async #executeAs(runId: RunId, request: StartRun, isRepeat: boolean, signal: AbortSignal): Promise<RunOutcome> {
    await this.#startAs(runId, request, isRepeat, signal);
    return this.outcome(runId, signal);
  }

  async #outcomeHere(runId: RunId, signal: AbortSignal): Promise<RunOutcome | "trouble"> {
    try {
      return await this.#local.outcome(runId, signal);
    } catch (error) {
      if (isOwnerTrouble(error)) return "trouble";
      throw error;
    }
  }

  async #outcomeThere(runId: RunId, signal: AbortSignal): Promise<RunOutcome | "notYet" | "trouble"> {
    const reply = await this.#calls.ask(runId, { $case: "awaitOutcome", value: {} }, { timeoutMs: LONGEST_WAIT_MS, signal });
    if (reply.kind === "trouble") return "trouble";
    // An owner that has too many waits already is asked again, not given up.
    if (reply.kind === "failed" && reply.error.code === "NODE_OVERLOADED") return "trouble";
    if (reply.kind === "failed") throw reply.error;
    if (reply.answer.$case === "outcome") return outcomeOfMessage(runId, reply.answer.value);
    if (reply.answer.$case === "inStore") return (await this.#local.endedOutcome(runId)) ?? "trouble";
    return reply.answer.$case === "notYet" ? "notYet" : "trouble";
  }

  /** A command for a run of this node costs nothing more than without a cluster, unless it comes while others of its run are on their way. */
  #command(runId: RunId, command: RoutedCommand): Promise<void> {
    // Those that reached the run before its shard was to be left hear of it later than this one would: they go first.
    const left = this.#gate.whenLeft(shardOf(runId));
    if (left !== undefined) return left.then(() => this.#line(runId, command));
    if (!this.#gate.serves(runId) || this.#lines.has(runId)) return this.#line(runId, command);
    return obey(this.#local, runId, command, false).catch((error: unknown) => {
      if (!isOwnerTrouble(error)) throw error;
      return this.#line(runId, command);
    });
  }

  #line(runId: RunId, command: RoutedCommand): Promise<void> {
    return this.#lines.add(runId, withId(command, this.#options.random));
  }

  async #deliver(runId: RunId, commands: readonly LinedCommand[], timeoutMs: number): Promise<readonly CommandResult[]> {
    if (this.#gate.serves(runId)) return Promise.all(commands.map(({ command, isRepeat }) => resultOf(obey(this.#local, runId, command, isRepeat))));
    const call: RunCall["call"] = { $case: "commands", value: { commands: commands.map(commandMessage) } };
    const reply = await this.#calls
      .ask(runId, call, { timeoutMs: Math.min(timeoutMs, ASK_AGAIN_MS) })
      .catch((error: unknown): Reply => ({ kind: "failed", error: error as MaestroError }));
    if (reply.kind === "failed") return commands.map(() => reply.error);
    if (reply.kind === "trouble") return commands.map(() => ({ again: true, mayBeDone: reply.mayBeDone }));
    return commands.map((_, place) => resultIn(runId, reply.answer, place));
  }
}

const TROUBLE: Reply = { kind: "trouble", mayBeDone: false };

/** True if a run was tried that may have begun. */
function namesRun(error: unknown): boolean {
  return error instanceof MaestroError && error.facts.runId !== undefined;
}

/** A command that may have to be sent more than once. */
function withId(command: RoutedCommand, random: Random): RoutedCommand {
  if (command.kind !== "signal" || command.signal.signalId !== "") return command;
  return { kind: "signal", signal: { ...command.signal, signalId: newUuid(random) } };
}

async function resultOf(told: Promise<void>): Promise<CommandResult> {
  try {
    await told;
    return "done";
  } catch (error) {
    return isOwnerTrouble(error) ? { again: true, mayBeDone: false } : toMaestroError(error);
  }
}

/** What an owner said of one of several commands. */
function resultIn(runId: RunId, answer: NonNullable<RunAnswer["answer"]>, place: number): CommandResult {
  const result = answer.$case === "commanded" ? answer.value.results[place]?.result : undefined;
  if (result === undefined) return new MaestroError("CALL_UNKNOWN", { facts: { runId } });
  if (result.$case === "done") return "done";
  if (result.$case === "moved") return { again: true, mayBeDone: false };
  const error = errorOf(result.value);
  return isOwnerTrouble(error) ? { again: true, mayBeDone: false } : error;
}

function unexpected(runId: RunId): Reply {
  return { kind: "failed", error: new MaestroError("CALL_UNKNOWN", { facts: { runId } }) };
}
