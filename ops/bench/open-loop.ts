/**
 * A load that does not wait: runs are asked for at a fixed rate, whatever becomes of those before. Each connection has at most as many
 * requests under way as the gateway reads of one stream; what is due beyond that is held back and counted. Advice to come back later is
 * counted and not heeded. When the rate ends, ordinary clients find out when the node is at full speed again.
 */
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { statusOf } from "../../gateway/grpc-messages.ts";
import type { Clock } from "../../runtime/clock.ts";
import { toMaestroError } from "../../runtime/errors.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { pause } from "../../runtime/storage/pause.ts";
import { percentile } from "./benchmark.ts";
import { closedLoop } from "./closed-loop.ts";
import { requireResult, WORKLOADS } from "./workload.ts";

/** How runs are started: over one Execute stream of each connection, or each by a unary call, Start(wait). */
export type OverloadDriver = "stream" | "unary";

/** An order to overload a node. */
export interface OverloadOrder {
  readonly kind: "overload";
  readonly driver: OverloadDriver;
  readonly connections: number;
  /** Runs asked for per second. */
  readonly perSecond: number;
  readonly durationMs: number;
  /** Runs per second of 300 ordinary clients before; 0: nobody asks how soon that is reached again. */
  readonly fullSpeed: number;
}

/** What came of it. */
export interface OverloadReport {
  readonly sent: number;
  /** Due, and not sent because the connection was full. */
  readonly heldBack: number;
  /** While the rate lasted. */
  readonly completedInTime: number;
  readonly completed: number;
  readonly refused: number;
  /** Refusals that said when to come back. */
  readonly advised: number;
  /** Codes of the refusals. */
  readonly codes: readonly string[];
  /** Of completed runs, from sending to result. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly durationMs: number;
  /** From the end of the rate until nothing was under way. */
  readonly drainedMs: number;
  /** From the end of the rate until ordinary clients saw nine tenths of the full speed. */
  readonly recoveredMs: number;
  /** Best second of the ordinary clients afterwards, in runs per second. */
  readonly bestAfter: number;
}

const TICK_MS = 2;
const PROBE_IN_FLIGHT = 300;
const PROBE_MS = 1_000;
const PROBES_MAX = 30;
const RECOVERED = 0.9;
/** Pause of an ordinary client after a refusal. */
const BACK_OFF_MS = 100;

const { w1 } = WORKLOADS;

type RunEnd = Awaited<ReturnType<MaestroClient["execute"]>>;

const EXECUTE: Readonly<Record<OverloadDriver, (client: MaestroClient) => Promise<void>>> = {
  stream: (client) => requireEnd(client.execute(w1.start)),
  unary: (client) => requireEnd(client.startAndWait(w1.start)),
};

/** Makes the load. */
export async function overload(order: OverloadOrder, address: string, clock: Clock): Promise<OverloadReport> {
  const execute = EXECUTE[order.driver];
  const clients = Array.from({ length: order.connections }, () => connect(address));
  const ordinary = connect(address);
  try {
    const load = new OpenLoad(clients, execute, clock);
    const startMs = clock.monotonic();
    await load.run(order.perSecond, order.durationMs);
    const endMs = clock.monotonic();
    const completedInTime = load.latenciesMs.length;
    const [drainedAtMs, recovered] = await Promise.all([
      load.drained(),
      order.fullSpeed === 0
        ? { atMs: Number.NaN, best: 0 }
        : recovery(() => executePatiently(() => execute(ordinary), clock), order.fullSpeed, clock),
    ]);
    load.latenciesMs.sort((a, b) => a - b);
    const { sent, heldBack, refused, advised, latenciesMs } = load;
    const tail = { p50Ms: percentile(latenciesMs, 0.5), p99Ms: percentile(latenciesMs, 0.99) };
    const counts = { sent, heldBack, completedInTime, completed: latenciesMs.length, refused, advised, codes: [...load.codes] };
    return {
      ...counts,
      ...tail,
      durationMs: endMs - startMs,
      drainedMs: drainedAtMs - endMs,
      recoveredMs: recovered.atMs - endMs,
      bestAfter: recovered.best,
    };
  } finally {
    for (const client of [...clients, ordinary]) client.close();
  }
}

/** When, on the monotonic clock, a second of ordinary load was at full speed, NaN if none was; and the best rate until then. */
async function recovery(execute: () => Promise<void>, fullSpeed: number, clock: Clock): Promise<{ readonly atMs: number; readonly best: number }> {
  let best = 0;
  for (let probe = 0; probe < PROBES_MAX; probe++) {
    const plan = { inFlight: PROBE_IN_FLIGHT, durationMs: PROBE_MS };
    const { operations, elapsedMs } = await closedLoop(plan, clock, execute);
    best = Math.max(best, (operations / elapsedMs) * 1000);
    if (best >= RECOVERED * fullSpeed) return { atMs: clock.monotonic(), best };
  }
  return { atMs: Number.NaN, best };
}

async function executePatiently(execute: () => Promise<void>, clock: Clock): Promise<void> {
  for (;;) {
    try {
      await execute();
      return;
    } catch (error) {
      if (!toMaestroError(error).retryable) throw error;
      await pause(BACK_OFF_MS, clock);
    }
  }
}

async function requireEnd(ending: Promise<RunEnd>): Promise<void> {
  const { status, output, error } = await ending;
  requireResult(w1, statusOf(status) ?? String(status), output, error);
}

/** Requests of many connections. */
class OpenLoad {
  readonly latenciesMs: number[] = [];
  readonly codes = new Set<string>();
  sent = 0;
  heldBack = 0;
  refused = 0;
  advised = 0;
  readonly #clients: readonly MaestroClient[];
  readonly #execute: (client: MaestroClient) => Promise<void>;
  readonly #underWay: number[];
  readonly #clock: Clock;
  #failure: unknown;

  constructor(clients: readonly MaestroClient[], execute: (client: MaestroClient) => Promise<void>, clock: Clock) {
    this.#clients = clients;
    this.#execute = execute;
    this.#underWay = clients.map(() => 0);
    this.#clock = clock;
  }

  async run(perSecond: number, durationMs: number): Promise<void> {
    const startMs = this.#clock.monotonic();
    for (let nowMs = startMs; nowMs - startMs < durationMs && this.#failure === undefined; nowMs = this.#clock.monotonic()) {
      const due = Math.floor(((nowMs - startMs) / 1000) * perSecond);
      while (this.sent + this.heldBack < due) this.#ask();
      await pause(TICK_MS, this.#clock);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves when nothing is under way, with the time on the monotonic clock. @throws what a run failed with, other than a refusal. */
  async drained(): Promise<number> {
    while (this.#underWay.some((count) => count > 0)) await pause(TICK_MS, this.#clock);
    if (this.#failure !== undefined) throw this.#failure;
    return this.#clock.monotonic();
  }

  #ask(): void {
    const at = (this.sent + this.heldBack) % this.#clients.length;
    const client = this.#clients[at];
    if (client === undefined || (this.#underWay[at] ?? 0) >= LIMITS.executeInFlight) {
      this.heldBack += 1;
      return;
    }
    this.sent += 1;
    this.#count(at, 1);
    const sentMs = this.#clock.monotonic();
    this.#execute(client).then(
      () => {
        this.#count(at, -1);
        this.latenciesMs.push(this.#clock.monotonic() - sentMs);
      },
      (error: unknown) => {
        this.#count(at, -1);
        this.#refuse(error);
      },
    );
  }

  #refuse(thrown: unknown): void {
    const error = toMaestroError(thrown);
    if (!error.retryable) this.#failure ??= thrown;
    this.refused += 1;
    this.codes.add(error.code);
    if (error.retryAfterMs !== undefined) this.advised += 1;
  }

  #count(at: number, change: number): void {
    this.#underWay[at] = (this.#underWay[at] ?? 0) + change;
  }
}
