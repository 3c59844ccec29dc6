/**
 * One call to the node that owns a run, as far as the map says, and what became of it. It owns the requests in flight: one whose run has got another owner
 * meanwhile is given up at once, because nobody will answer it.
 */
import { type CallPart, RunAnswer, RunCall } from "../../proto/gen/maestro/cluster/v1/run_call.ts";
import type { Bus, BusMessage } from "../../runtime/bus/bus.ts";
import { partsOf } from "../../runtime/bus/message-parts.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type ErrorCode, MaestroError } from "../../runtime/errors.ts";
import { type BootId, type RunId, type Shard, shardOf } from "../../runtime/ids.ts";
import type { Random } from "../../runtime/random.ts";
import type { ClusterMap, RunsSubject } from "./cluster-map.ts";
import { errorOf } from "./failure-message.ts";

/** Time for which an answer may be on its way beyond the time that the owner was given, in milliseconds. */
const TRAVEL_MS = 1_000;

/**
 * For how long a bus that is away is waited for, in milliseconds. What would change something is refused after that: it was not sent, so it is not
 * done, and the deadline of its caller would say neither this nor why.
 */
const BUS_GRACE_MS = 5_000;

/** The dialect that a node must speak to be asked so. A new kind of call gets that of the program that brings it. */
const CALL_DIALECTS: Readonly<Record<CallKind, number>> = { start: 1, commands: 1, describe: 1, awaitOutcome: 1, awaitGrowth: 1, part: 1 };

/** What can be asked of an owner. */
export type CallKind = NonNullable<RunCall["call"]>["$case"];

/** An answer, or why there is none: then the owner of the moment is asked again. `mayBeDone`: the call may have been carried out. */
export type Reply =
  | { readonly kind: "answer"; readonly answer: NonNullable<RunAnswer["answer"]> }
  | { readonly kind: "failed"; readonly error: MaestroError }
  | { readonly kind: "trouble"; readonly mayBeDone: boolean };

/** How to ask. */
export interface OwnerCallOptions {
  /** For how long the owner may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Ends the wait; the reply is "trouble" then. */
  readonly signal?: AbortSignal | undefined;
}

/** What it needs. */
export interface OwnerCallsOptions {
  readonly bus: Pick<Bus, "request" | "status" | "trouble">;
  readonly map: ClusterMap;
  readonly subject: RunsSubject;
  readonly random: Random;
  readonly clock: Clock;
  /** What is understood from which dialect on. Default: what this program has. Only tests pass another. */
  readonly dialects?: Readonly<Record<CallKind, number>>;
}

/** Failures of the bus, and whether the call may have been carried out all the same. */
const BUS_TROUBLE: Partial<Record<ErrorCode, boolean>> = {
  NO_RESPONDER: false,
  BUS_OVERLOADED: false,
  BUS_UNAVAILABLE: true,
  TIMED_OUT: true,
  REQUEST_CANCELLED: true,
};
/** Failures of an owner that is one no more, or of an older version than the run. What it answers so it has not done; the next owner may. */
const OWNER_TROUBLE: ReadonlySet<ErrorCode> = new Set(["SHARD_MOVED", "JOURNAL_FENCED", "NODE_STOPPING", "RUN_TOO_NEW"]);

interface Flight {
  readonly owner: BootId;
  readonly shard: Shard;
  readonly abort: AbortController;
}

/** The calls of one node to others. */
export class OwnerCalls {
  readonly #options: OwnerCallsOptions;
  readonly #flights = new Set<Flight>();
  readonly #unsubscribe: () => void;

  constructor(options: OwnerCallsOptions) {
    this.#options = options;
    this.#unsubscribe = options.map.onChange(() => this.#giveUpMoved());
  }

  /** Calls that await their answer. */
  get count(): number {
    return this.#flights.size;
  }

  /**
   * Asks once. Rejects with errors that asking again does not mend: MESSAGE_TOO_LARGE, FIELD_INVALID. What not every node of the cluster understands
   * is not sent, whoever the owner is: it may be another one in a moment. It fails with CALL_UNKNOWN; so whoever has an older way to say it looks at
   * the dialect first.
   */
  async ask(runId: RunId, call: NonNullable<RunCall["call"]>, { timeoutMs, signal }: OwnerCallOptions): Promise<Reply> {
    const { map, bus, subject } = this.#options;
    const { [call.$case]: dialect } = this.#options.dialects ?? CALL_DIALECTS;
    if (map.view.dialect < dialect) return { kind: "failed", error: new MaestroError("CALL_UNKNOWN", { facts: { runId } }) };
    const shard = shardOf(runId);
    const owner = map.view.ownerOf(shard);
    if (owner === undefined || owner === map.self || signal?.aborted === true) return { kind: "trouble", mayBeDone: false };
    if (bus.trouble !== undefined) return this.#unsent(call, bus.trouble);
    const flight: Flight = { owner, shard, abort: new AbortController() };
    const abort = (): void => flight.abort.abort();
    this.#flights.add(flight);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const send = (payload: Uint8Array): Promise<BusMessage> =>
        bus.request(subject(owner), payload, { timeoutMs: timeoutMs + TRAVEL_MS, signal: flight.abort.signal });
      return await this.#send(runId, { runId, timeoutMs: Math.ceil(timeoutMs), call }, send);
    } catch (error) {
      const mayBeDone = error instanceof MaestroError ? BUS_TROUBLE[error.code] : undefined;
      if (mayBeDone === undefined) throw error;
      return { kind: "trouble", mayBeDone };
    } finally {
      this.#flights.delete(flight);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Gives up all calls. */
  close(): void {
    this.#unsubscribe();
    for (const { abort } of this.#flights) abort.abort();
  }

  /** Who only asks for something waits, or has another way to know it. */
  #unsent({ $case }: NonNullable<RunCall["call"]>, error: MaestroError): Reply {
    const { bus, clock } = this.#options;
    const isRefused = ($case === "start" || $case === "commands") && clock.now() - bus.status.sinceMs >= BUS_GRACE_MS;
    return isRefused ? { kind: "failed", error } : { kind: "trouble", mayBeDone: false };
  }

  /** Sends a call, or its pieces one after the other; the last of them is answered as the call. */
  async #send(runId: RunId, call: RunCall, send: (payload: Uint8Array) => Promise<BusMessage>): Promise<Reply> {
    const payload = RunCall.encode(call).finish();
    const parts = partsOf(payload, this.#options.random);
    for (const part of parts.slice(0, -1)) {
      const reply = this.#read(runId, await send(encodePart(call, part)));
      if (reply.kind !== "answer" || reply.answer.$case !== "notYet") return reply;
    }
    const last = parts.at(-1);
    return this.#read(runId, await send(last === undefined ? payload : encodePart(call, last)));
  }

  #read(runId: RunId, { payload }: BusMessage): Reply {
    const answer = RunAnswer.decode(payload).answer;
    if (answer === undefined) return { kind: "failed", error: new MaestroError("CALL_UNKNOWN", { facts: { runId } }) };
    if (answer.$case === "moved") {
      this.#options.map.noteVersion(answer.value.version);
      return { kind: "trouble", mayBeDone: false };
    }
    if (answer.$case !== "failure") return { kind: "answer", answer };
    const error = errorOf(answer.value);
    return isOwnerTrouble(error) ? { kind: "trouble", mayBeDone: false } : { kind: "failed", error };
  }

  #giveUpMoved(): void {
    const { view } = this.#options.map;
    for (const { owner, shard, abort } of this.#flights) if (view.ownerOf(shard) !== owner) abort.abort();
  }
}

/** True if an error of an owner says that it is the owner no more. Nothing was done then. */
export function isOwnerTrouble(error: unknown): error is MaestroError {
  return error instanceof MaestroError && OWNER_TROUBLE.has(error.code);
}

function encodePart({ runId, timeoutMs }: RunCall, part: CallPart): Uint8Array {
  return RunCall.encode({ runId, timeoutMs, call: { $case: "part", value: part } }).finish();
}
