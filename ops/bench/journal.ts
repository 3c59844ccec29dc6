/**
 * Group commit alone, with no engine above it, in the shape of workload W1: a run is four writes, each awaited; it is created with its first
 * entries, and its last write ends it. Every round starts with empty tables, on an embedded server in a temporary folder.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import { newBootId, newRunId, newUuid, SHARD_COUNT } from "../../runtime/ids.ts";
import type { Random } from "../../runtime/random.ts";
import { type EmbeddedPg, startEmbeddedPg } from "../../runtime/storage/embedded-pg.ts";
import { HeldShards } from "../../runtime/storage/held-shards.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import { openPgJournal } from "../../runtime/storage/pg-journal.ts";
import { migrate } from "../../runtime/storage/pg-migrate.ts";
import { openPgOwnership } from "../../runtime/storage/pg-ownership.ts";
import { type Benchmark, type BenchSetting, type Measured, measureInTurn, type Round } from "./benchmark.ts";
import { closedLoop } from "./closed-loop.ts";
import { openPgMeter, type PgMeter } from "./pg-meter.ts";

const WRITES = 4;
const ENTRY_BYTES = 150;
const LANES = [1, 2];
const IN_FLIGHT = [100, 300, 1_000];

/** `npm run bench -- journal`. */
export const journal: Benchmark = {
  name: "journal",
  about: "Group commit alone, as W1 uses it: runs of four writes, each awaited.",
  async measure(setting) {
    await using bed = await openJournalBed(setting);
    return await measureInTurn(
      setting,
      LANES.flatMap((lanes) => IN_FLIGHT.map((inFlight) => bed.measured(`group commit, lanes ${lanes}, ${inFlight}`, lanes, inFlight))),
    );
  },
};

/** Starts a server in a temporary folder, with the schema. */
export async function openJournalBed(setting: BenchSetting): Promise<JournalBed> {
  const { clock, random } = setting;
  setting.progress("starting PostgreSQL");
  await using owned = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "maestro-bench-"));
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  const server = await startEmbeddedPg({ folder: join(folder, "data"), clock, random });
  owned.defer(() => server.stop());
  await migrate(server.url);
  const meter = owned.use(await openPgMeter(server));
  return new JournalBed(setting, server, meter, owned.move());
}

/** A server whose journal is written to. */
class JournalBed implements AsyncDisposable {
  readonly #setting: BenchSetting;
  readonly #server: EmbeddedPg;
  readonly #meter: PgMeter;
  readonly #owned: AsyncDisposableStack;

  constructor(setting: BenchSetting, server: EmbeddedPg, meter: PgMeter, owned: AsyncDisposableStack) {
    this.#setting = setting;
    this.#server = server;
    this.#meter = meter;
    this.#owned = owned;
  }

  /** Something to measure: `inFlight` runs at a time over `lanes` writer lanes. */
  measured(name: string, lanes: number, inFlight: number): Measured {
    const about = `runs of ${WRITES} committed writes, ${inFlight} in flight over ${lanes} writer lanes, nothing but the journal`;
    return { label: { name, unit: "runs/s", about }, round: () => this.#round(lanes, inFlight) };
  }

  async #round(lanes: number, inFlight: number): Promise<Round> {
    const { clock, random, roundMs } = this.#setting;
    await this.#meter.reset();
    const events = new EventHub();
    const journal = await openJournal(this.#server.url, lanes, { clock, random, events });
    const workflowId = newUuid(random);
    const one = (): Promise<void> => oneRun(journal, workflowId, clock, random);
    await closedLoop({ inFlight, durationMs: roundMs / 4 }, clock, one);
    const sums = { batches: 0, writes: 0, commitMs: 0 };
    events.on("journal.committed", (event) => {
      sums.batches++;
      sums.writes += event.writes;
      sums.commitMs += event.durationMs;
    });
    const before = await this.#meter.read();
    const { operations: runs, elapsedMs, cpuUs, p50Ms } = await closedLoop({ inFlight, durationMs: roundMs }, clock, one);
    const after = await this.#meter.read();
    await journal.close();
    const details = {
      "p50 ms": p50Ms,
      "node us/run": cpuUs / runs,
      "pg us/run": (after.cpuUs - before.cpuUs) / runs,
      "commits/s": (sums.batches / elapsedMs) * 1000,
      "writes/commit": sums.writes / sums.batches,
      "commit ms": sums.commitMs / sums.batches,
      "WAL bytes/write": (after.walBytes - before.walBytes) / runs / WRITES,
    };
    return { value: (runs / elapsedMs) * 1000, details };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

async function openJournal(url: string, lanes: number, ports: { clock: Clock; random: Random; events: EventHub }): Promise<Journal> {
  const bootId = newBootId(ports.random);
  const ownership = await openPgOwnership({ url });
  const { shards } = await ownership.join({ bootId, nodeName: "bench", lanes, leaseMs: 60_000 });
  await ownership.close();
  return openPgJournal({ url, bootId, held: new HeldShards(shards), lanes, ...ports });
}

/** One run: four writes, each after the previous one's commit. */
async function oneRun(journal: Journal, workflowId: string, clock: Clock, random: Random): Promise<void> {
  const runId = newRunId(random.uint32() % SHARD_COUNT, clock.now(), random);
  const entries = new Uint8Array(ENTRY_BYTES).fill(0x61);
  const create = { workflowId, userId: "bench", labels: {} };
  await journal.append({ runId, firstSeq: 1, entryCount: 2, entries, create, head: { status: "running", wake: 1 } });
  for (let step = 1; step < WRITES - 1; step++) await journal.append({ runId, firstSeq: 2 * step + 1, entryCount: 2, entries });
  const head = { status: "completed", wake: 0, endedAtMs: clock.now() } as const;
  await journal.append({ runId, firstSeq: 2 * WRITES - 1, entryCount: 2, entries, head });
}
