/**
 * W1 against nodes that run already, by the addresses of their gateways: over an Execute stream to each, for as long as is asked for. What a node
 * takes with it when it dies is asked again of the others, under the same idempotency key, so that no run is executed twice.
 */
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { statusOf } from "../../gateway/grpc-messages.ts";
import type { Clock } from "../../runtime/clock.ts";
import { toMaestroError } from "../../runtime/errors.ts";
import { newUuid } from "../../runtime/ids.ts";
import type { Random } from "../../runtime/random.ts";
import { pause } from "../../runtime/storage/pause.ts";
import { type BenchSetting, type Figure, figureOf } from "./benchmark.ts";
import { OutageLog, type OutageReport } from "./outage-report.ts";
import { formatNumber } from "./report.ts";
import { requireResult, WORKLOADS } from "./workload.ts";

const IN_FLIGHT = 300;
/** A gateway that failed is left alone for so long, if there is another one. */
const AVOIDED_MS = 500;
/** Pause before what was refused is asked again. */
const BACK_OFF_MS = 50;
const TELL_EVERY_MS = 1_000;

const { w1 } = WORKLOADS;

/** What to load, and for how long. */
export interface TargetRequest {
  /** `host:port` of each gateway. */
  readonly addresses: readonly string[];
  /** Undefined: until the user interrupts. */
  readonly durationMs: number | undefined;
}

/** Loads the nodes, and says what came of it. @throws what a run ended with that was not its result; what an operation failed with that can't be repeated */
export async function measureTarget(setting: BenchSetting, { addresses, durationMs }: TargetRequest): Promise<readonly Figure[]> {
  const { clock, signal, random } = setting;
  const load = new TargetLoad({ addresses, clock, random, inFlight: IN_FLIGHT });
  try {
    await load.deploy();
    const over = new AbortController();
    const cancel = durationMs === undefined ? undefined : clock.schedule(durationMs, () => over.abort());
    signal.addEventListener("abort", () => over.abort(), { once: true });
    const telling = tell(load, setting, over.signal);
    await load.run(over.signal);
    cancel?.();
    over.abort();
    await telling;
    const report = load.log.report(clock.monotonic());
    for (const [code, count] of Object.entries(report.codes)) setting.remark(`${code}: ${count} attempts`);
    return [figureFor(report, addresses.length)];
  } finally {
    load.close();
  }
}

function figureFor(report: OutageReport, gateways: number): Figure {
  const { completed, elapsedMs, failed, repeated, p50Ms, p99Ms, maxMs, longestGapMs } = report;
  const about = `completed runs with ${IN_FLIGHT} in flight over ${gateways} gateways, each with an idempotency key`;
  const details = { failed, repeated, "p50 ms": p50Ms, "p99 ms": p99Ms, "longest ms": maxMs, "longest gap ms": longestGapMs };
  return figureOf({ name: "W1a target", unit: "runs/s", about }, [{ value: (completed / elapsedMs) * 1_000, details }]);
}

/** Says each second how it goes. */
async function tell(load: TargetLoad, { clock, progress }: BenchSetting, over: AbortSignal): Promise<void> {
  let before = 0;
  for (let seconds = 1; !over.aborted; seconds++) {
    await pause(TELL_EVERY_MS, clock);
    const { completed, failed, repeated, longestGapMs } = load.log.report(clock.monotonic());
    progress(
      `${seconds} s: ${formatNumber(completed - before)} runs/s, ${repeated} repeated, ${failed} failed, longest gap ${formatNumber(longestGapMs)} ms`,
    );
    before = completed;
  }
}

interface Gateway {
  readonly client: MaestroClient;
  avoidedUntilMs: number;
}

/** How a load is made. */
export interface TargetLoadOptions {
  /** `host:port` of each gateway. */
  readonly addresses: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  /** Operations under way at any time, over all gateways. */
  readonly inFlight: number;
  /** Time after its end for which what fails is still asked again, in milliseconds. Default: none, it is given up. */
  readonly graceMs?: number;
}

/** Runs of W1 in a closed loop over the Execute streams of several gateways; what fails is asked again. */
export class TargetLoad {
  /** What came of it so far. */
  readonly log: OutageLog;
  readonly #gateways: readonly Gateway[];
  readonly #clock: Clock;
  readonly #inFlight: number;
  /** Begins the idempotency keys of this load. */
  readonly #name: string;
  readonly #graceMs: number;
  #count = 0;
  #endMs = Number.POSITIVE_INFINITY;

  constructor({ addresses, clock, random, inFlight, graceMs = 0 }: TargetLoadOptions) {
    this.log = new OutageLog(clock.monotonic());
    this.#gateways = addresses.map((address) => ({ client: connect(address, { clock }), avoidedUntilMs: Number.NEGATIVE_INFINITY }));
    this.#clock = clock;
    this.#inFlight = inFlight;
    this.#graceMs = graceMs;
    this.#name = newUuid(random);
  }

  /** Deploys the workflow. @throws what the gateway refuses it with */
  async deploy(): Promise<void> {
    await this.#gateways[0]?.client.deploy(w1.document);
  }

  /** Begins operations until `over`; resolves when all have ended. */
  async run(over: AbortSignal): Promise<void> {
    over.addEventListener("abort", () => {
      this.#endMs = this.#clock.monotonic() + this.#graceMs;
    });
    const client = async (): Promise<void> => {
      while (!over.aborted) await this.#execute();
    };
    await Promise.all(Array.from({ length: this.#inFlight }, client));
  }

  /** Closes the connections. */
  close(): void {
    for (const { client } of this.#gateways) client.close();
  }

  /** One operation, until it is done; or until an attempt fails when the grace is over. */
  async #execute(): Promise<void> {
    const idempotencyKey = `${this.#name}-${this.#count++}`;
    const sentMs = this.#clock.monotonic();
    for (;;) {
      const gateway = this.#choose();
      try {
        const { status, output, error } = await gateway.client.execute({ ...w1.start, idempotencyKey });
        requireResult(w1, statusOf(status) ?? String(status), output, error);
        this.log.complete(sentMs, this.#clock.monotonic());
        return;
      } catch (thrown) {
        if (!(await this.#forgive(thrown, gateway))) return;
      }
    }
  }

  /** The gateways in turn; one that failed a moment ago only if all did. */
  #choose(): Gateway {
    const nowMs = this.#clock.monotonic();
    const usable = this.#gateways.filter(({ avoidedUntilMs }) => nowMs >= avoidedUntilMs);
    const among = usable.length > 0 ? usable : this.#gateways;
    const gateway = among[this.#count % among.length];
    if (gateway === undefined) throw new Error("there are no gateways to load");
    return gateway;
  }

  /** False: the operation is given up. @throws what no repetition can heal */
  async #forgive(thrown: unknown, gateway: Gateway): Promise<boolean> {
    const error = toMaestroError(thrown);
    // A gateway that is being closed cancels what is still open on its connections.
    const canRepeat = error.retryable || error.code === "REQUEST_CANCELLED";
    const isOver = this.#clock.monotonic() >= this.#endMs;
    this.log.fail(error.code, canRepeat && !isOver);
    if (!canRepeat) throw thrown;
    if (isOver) return false;
    gateway.avoidedUntilMs = this.#clock.monotonic() + AVOIDED_MS;
    await pause(error.retryAfterMs ?? BACK_OFF_MS, this.#clock);
    return true;
  }
}
