/**
 * Serves what other nodes ask about the runs of this node. Everything is asked of the same `LocalRuns` that this node's own clients use, so the answers are
 * the same. What is under way is bounded, and refused beyond that.
 */
import { type CommandResult, RunAnswer, RunCall, type RunCommand, type StartCall } from "../../proto/gen/maestro/cluster/v1/run_call.ts";
import type { Bus, BusReply, Subscription } from "../../runtime/bus/bus.ts";
import { PartialCalls } from "../../runtime/bus/message-parts.ts";
import type { Clock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { parseRunId, type RunId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { LocalRuns } from "../run/local-runs.ts";
import type { StartedRun } from "../runs.ts";
import type { ClusterMap, RunsSubject } from "./cluster-map.ts";
import { failureMessage } from "./failure-message.ts";
import { isOwnerTrouble } from "./owner-calls.ts";
import { obey } from "./routed-command.ts";
import { commandOf, outcomeMessage, startOf, viewMessage } from "./run-messages.ts";
import { StartsSeen } from "./starts-seen.ts";

/** When an overloaded node may be asked again, in milliseconds. */
const OVERLOAD_RETRY_MS = 1_000;
/** A wait ends this long before the caller's patience does, so that the answer still reaches it, in milliseconds. */
const ANSWER_EARLY_MS = 500;

type Answer = NonNullable<RunAnswer["answer"]>;

/** What it needs. */
export interface RunServerOptions {
  readonly bus: Pick<Bus, "respond">;
  readonly map: ClusterMap;
  readonly subject: RunsSubject;
  readonly clock: Clock;
  readonly local: LocalRuns;
}

/** See the file header. */
export class RunServer {
  readonly #options: RunServerOptions;
  readonly #starts = new StartsSeen();
  readonly #partial: PartialCalls;
  readonly #over = new AbortController();
  #subscription: Subscription | undefined;
  #calls = 0;
  #waits = 0;

  constructor(options: RunServerOptions) {
    this.#options = options;
    this.#partial = new PartialCalls(options.clock);
  }

  /** Serves from now on. */
  start(): void {
    const { bus, map, subject } = this.#options;
    this.#subscription = bus.respond(subject(map.self), ({ payload }) => this.#serve(payload));
  }

  /** Serves no new calls, and ends all waits. */
  stop(): void {
    this.#subscription?.close();
    this.#over.abort();
  }

  async #serve(payload: Uint8Array): Promise<BusReply> {
    const answer = await this.#answer(payload);
    const bytes = RunAnswer.encode({ answer }).finish();
    if (bytes.length <= LIMITS.peerAnswerBytes) return { payload: bytes };
    // What is that large was read from the store, or is in it: nobody has to carry it over the bus.
    return { payload: RunAnswer.encode({ answer: { $case: "inStore", value: {} } }).finish() };
  }

  async #answer(payload: Uint8Array): Promise<Answer> {
    try {
      const { runId: text, timeoutMs, call } = RunCall.decode(payload);
      const runId = parseRunId(text);
      if (runId === undefined || call === undefined) throw new MaestroError("CALL_UNKNOWN", { facts: { runId: text } });
      if (call.$case !== "part") return await this.#serveCall(runId, call, timeoutMs);
      const whole = this.#partial.add(call.value);
      return whole === undefined ? NOT_YET : await this.#answer(whole);
    } catch (error) {
      if (isOwnerTrouble(error)) return { $case: "moved", value: { version: this.#options.map.view.version } };
      return { $case: "failure", value: failureMessage(error) };
    }
  }

  async #serveCall(runId: RunId, call: NonNullable<RunCall["call"]>, timeoutMs: number): Promise<Answer> {
    const isWait = call.$case === "awaitOutcome" || call.$case === "awaitGrowth";
    const isFull = isWait ? this.#waits >= LIMITS.servedWaits : this.#calls >= LIMITS.servedCalls;
    if (isFull) throw new MaestroError("NODE_OVERLOADED", { facts: { active: this.#waits + this.#calls }, retryAfterMs: OVERLOAD_RETRY_MS });
    if (isWait) this.#waits += 1;
    else this.#calls += 1;
    try {
      return isWait ? await this.#await(runId, call, timeoutMs) : await this.#call(runId, call);
    } finally {
      if (isWait) this.#waits -= 1;
      else this.#calls -= 1;
    }
  }

  async #call(runId: RunId, call: NonNullable<RunCall["call"]>): Promise<Answer> {
    const { local } = this.#options;
    switch (call.$case) {
      case "start":
        return { $case: "started", value: await this.#begin(runId, call.value) };
      case "commands":
        return { $case: "commanded", value: { results: await Promise.all(call.value.commands.map((command) => this.#obey(runId, command))) } };
      case "describe":
        return { $case: "view", value: viewMessage(await local.get(runId)) };
      default:
        throw new MaestroError("CALL_UNKNOWN", { facts: { runId } });
    }
  }

  /** A start that comes again while the first is under way shares its fate. */
  #begin(runId: RunId, start: StartCall): Promise<StartedRun> {
    return this.#starts.share(runId, (isRepeat) => this.#options.local.startAs(runId, startOf(start), isRepeat || start.repeated));
  }

  async #obey(runId: RunId, message: RunCommand): Promise<CommandResult> {
    const command = commandOf(message);
    try {
      if (command === undefined) throw new MaestroError("CALL_UNKNOWN", { facts: { runId } });
      await obey(this.#options.local, runId, command, message.repeated);
      return { result: { $case: "done", value: {} } };
    } catch (error) {
      if (isOwnerTrouble(error)) return { result: { $case: "moved", value: { version: this.#options.map.view.version } } };
      return { result: { $case: "failure", value: failureMessage(error) } };
    }
  }

  /** Waits for as long as the caller does. */
  async #await(runId: RunId, call: NonNullable<RunCall["call"]>, timeoutMs: number): Promise<Answer> {
    const { local, clock } = this.#options;
    const late = new AbortController();
    const abort = (): void => late.abort();
    const cancel = clock.schedule(Math.max(timeoutMs - ANSWER_EARLY_MS, 0), abort);
    this.#over.signal.addEventListener("abort", abort, { once: true });
    try {
      if (call.$case === "awaitOutcome") return { $case: "outcome", value: outcomeMessage(await local.outcome(runId, late.signal)) };
      if (call.$case === "awaitGrowth") await local.growth(runId, call.value.lastSeq, late.signal);
      return late.signal.aborted ? NOT_YET : { $case: "grown", value: {} };
    } catch (error) {
      if (late.signal.aborted && error instanceof MaestroError && error.code === "REQUEST_CANCELLED") return NOT_YET;
      throw error;
    } finally {
      cancel();
      this.#over.signal.removeEventListener("abort", abort);
    }
  }
}

const NOT_YET: Answer = { $case: "notYet", value: {} };
