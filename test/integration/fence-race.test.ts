/**
 * A takeover races a batch of the owner that it fences. Whatever the timing, no row of the stale owner may become visible after the
 * takeover committed. The same harness must find such rows when the batch's lock is weakened, or it would prove nothing.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../runtime/clock.ts";
import { newBootId } from "../../runtime/ids.ts";
import { seededRandom } from "../../runtime/random.ts";
import { formBatch } from "../../runtime/storage/batch.ts";
import { connectPg, type PgClient } from "../../runtime/storage/pg-connection.ts";
import { PgDatabase } from "../../runtime/storage/pg-database.ts";
import { fenceOthers } from "../../runtime/storage/pg-fencing.ts";
import { BatchStatements, type FenceLock } from "../../runtime/storage/pg-statement.ts";
import { freshDatabase } from "../support/pg-fixture.ts";
import { entryWrite, runIdOn } from "../support/run-writes.ts";

const REPETITIONS = 1_000;
/** A batch large enough that a takeover fits into its execution. */
const BATCH_RUNS = 150;
/** How long a batch and a takeover are taken to last before the first was seen, in milliseconds. */
const FIRST_GUESS_MS = 5;

/** How a number of races ended. */
interface Tally {
  committed: number;
  fenced: number;
  /** Races in which rows appeared after the takeover had committed. */
  stale: number;
}

describe("a takeover that races a stale writer's batch", function () {
  this.timeout(120_000);
  const random = seededRandom(4096);
  const clock = systemClock();
  /** How long a race lasts on this machine, in milliseconds: either side starts at most this much after the other. */
  let raceMs = FIRST_GUESS_MS;
  const held = { epochOf: () => 1 };
  let writer: PgClient;
  let taker: PgDatabase;

  beforeEach(async () => {
    const url = await freshDatabase();
    writer = await connectPg(url, { applicationName: "stale-writer" });
    taker = new PgDatabase({ url, applicationName: "taker", size: 1 });
    await taker.query("SELECT 1");
  });
  afterEach(async () => {
    await writer.end();
    await taker.close();
  });

  /** `lock`: undefined for that of the product. */
  async function raceOnce(lock: FenceLock | undefined): Promise<keyof Tally> {
    const bootId = newBootId(random);
    await taker.query("INSERT INTO lane_fences (boot_id, lane) VALUES ($1, 0)", [bootId]);
    const writes = Array.from({ length: BATCH_RUNS }, () => entryWrite(runIdOn(), 1));
    const statement = new BatchStatements(bootId, 0, held, lock).of(formBatch(writes));
    const runIds = writes.map((write) => write.runId);
    const countRows = async () => (await taker.query("SELECT FROM journal WHERE run_id = ANY($1::uuid[])", [runIds])).length;
    const startedMs = clock.monotonic();
    const delayBy = async (delayMs: number) => {
      while (clock.monotonic() < startedMs + delayMs) await new Promise((resolve) => setImmediate(resolve));
    };
    const headStart = (2 * random.fraction() - 1) * raceMs;
    const batch = async () => {
      await delayBy(-headStart);
      const { rows } = await writer.query<{ live: number }>(statement as { name: string; text: string; values: unknown[] });
      return rows[0]?.live === 1;
    };
    const takeover = async () => {
      await delayBy(headStart);
      await taker.transaction((query) => fenceOthers(query, []));
      return countRows();
    };
    const [isCommitted, rowsAtTakeover] = await Promise.all([batch(), takeover()]);
    raceMs = 0.9 * raceMs + 0.1 * (clock.monotonic() - startedMs - Math.abs(headStart));
    const rowsAtLast = await countRows();
    assert.equal(rowsAtLast, isCommitted ? BATCH_RUNS : 0, "a batch is whole, and its answer is true");
    if (rowsAtLast !== rowsAtTakeover) return "stale";
    return isCommitted ? "committed" : "fenced";
  }

  async function race(lock: FenceLock | undefined, isEnough: (tally: Tally) => boolean): Promise<Tally> {
    const tally: Tally = { committed: 0, fenced: 0, stale: 0 };
    for (let repetition = 0; repetition < REPETITIONS && !isEnough(tally); repetition++) tally[await raceOnce(lock)]++;
    return tally;
  }

  it(`leaves no stale row in ${REPETITIONS} races`, async () => {
    const tally = await race(undefined, () => false);
    assert.equal(tally.stale, 0);
    assert.ok(tally.committed > REPETITIONS / 50 && tally.fenced > REPETITIONS / 50, `both must win at times: ${JSON.stringify(tally)}`);
  });

  for (const lock of ["", "FOR KEY SHARE"] as const) {
    it(`would find stale rows if batches read the fence ${lock === "" ? "without a lock" : lock}`, async () => {
      const tally = await race(lock, ({ stale }) => stale > 0);
      assert.ok(tally.stale > 0, `the harness is too weak: ${JSON.stringify(tally)}`);
    });
  }
});
