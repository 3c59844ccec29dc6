/**
 * Shows of each checker of the audit that it notices what it is there for: damage is done to a store that was found in order, one kind at a time, and the
 * checker that is named must speak up. What was done is undone before the next.
 */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunId } from "../../runtime/ids.ts";
import { journalChecksum } from "../../runtime/storage/journal-checksum.ts";
import { PgDatabase } from "../../runtime/storage/pg-database.ts";
import { CHECKERS } from "./audit.ts";
import { ChaosNode, effectsFile } from "./chaos-node.ts";
import { type Evidence, readEvidence, type Scene, type StoredRun } from "./evidence.ts";
import { Load } from "./load.ts";
import type { Order } from "./order.ts";
import { PgServer } from "./pg-server.ts";
import { type Scenario, settleAndAudit, withFolder } from "./scenario.ts";

/** One planted bug. */
interface Plant {
  /** What a defective product would have done. */
  readonly bug: string;
  /** Who has to notice. */
  readonly checker: keyof typeof CHECKERS;
  /** Statements that do the damage; `$1` is the run's id. */
  readonly damage?: readonly string[];
  readonly forge?: (database: PgDatabase, run: string) => Promise<void>;
  /** Lines for the file of side effects. */
  readonly trace?: (run: string, line: string) => string;
  /** Takes the run's lines out of the file of side effects. */
  readonly isTraceless?: true;
  readonly tell?: (order: Order) => Order;
  /** Changes what was read of the run. */
  readonly pretend?: (run: StoredRun) => StoredRun;
}

/** Has the first attempt of a run go down with its node. */
function interrupt(run: StoredRun): StoredRun {
  const entries = run.entries.flatMap((entry) => {
    if (entry.event?.$case !== "attemptScheduled") return [entry];
    const { frame, attempt } = entry.event.value;
    return [entry, { ...entry, event: { $case: "attemptInterrupted" as const, value: { frame, attempt } } }];
  });
  return { ...run, entries };
}

/** Appends the last row of a history once more, as a defective node would: with everything right but that it was there already. */
async function storeTwice(database: PgDatabase, run: string): Promise<void> {
  const [row] = await database.query<{ seq: string; epoch: string; entry_count: number; entries: Buffer }>(
    "SELECT seq, epoch, entry_count, entries FROM journal WHERE run_id = $1 ORDER BY seq DESC LIMIT 1",
    [run],
  );
  if (row === undefined) throw new Error(`run ${run} has no history`);
  const seq = Number(row.seq) + row.entry_count;
  await database.query("INSERT INTO journal (run_id, seq, epoch, entry_count, crc, entries) VALUES ($1, $2, $3, $4, $5, $6)", [
    ...[run, seq, row.epoch, row.entry_count],
    ...[journalChecksum(run as RunId, seq, row.entry_count, [row.entries]), row.entries],
  ]);
}

/** The bugs. The first run that is damaged is one of the workflow `steps`, which completed and has a key. */
const PLANTS: readonly Plant[] = [
  {
    bug: "an acknowledged run is lost",
    checker: "results are right",
    damage: ["DELETE FROM workflow_runs WHERE id = $1", "DELETE FROM journal WHERE run_id = $1"],
  },
  {
    bug: "a run is left where it was",
    checker: "results are right",
    damage: ["UPDATE workflow_runs SET status = 'waiting', wake = 4 WHERE id = $1"],
  },
  { bug: "a client is told a wrong result", checker: "results are right", tell: (order) => ({ ...order, n: order.n + 1 }) },
  {
    bug: "a start with a key is executed twice",
    checker: "one run for a key",
    damage: [
      "INSERT INTO workflow_runs SELECT (jsonb_populate_record(w, jsonb_build_object('id', gen_random_uuid()))).* FROM workflow_runs w WHERE id = $1",
    ],
  },
  {
    bug: "a client is told of two runs",
    checker: "one run for a key",
    tell: (order) => ({ ...order, acknowledged: new Set([...order.acknowledged, "another"]) }),
  },
  { bug: "a key is forgotten", checker: "one run for a key", damage: ["DELETE FROM run_keys WHERE run_id = $1"] },
  {
    bug: "a row of a history is lost",
    checker: "histories are whole",
    damage: [
      "DELETE FROM journal WHERE run_id = $1 AND seq = (SELECT max(seq) FROM journal WHERE run_id = $1 AND seq < (SELECT max(seq) FROM journal WHERE run_id = $1))",
    ],
  },
  {
    bug: "a byte of a history is changed",
    checker: "histories are whole",
    damage: ["UPDATE journal SET entries = set_byte(entries, 3, get_byte(entries, 3) # 1) WHERE run_id = $1 AND seq = 1"],
  },
  {
    bug: "an owner of before writes on",
    checker: "histories are whole",
    damage: ["UPDATE journal SET epoch = epoch + 1 WHERE run_id = $1 AND seq = 1"],
  },
  { bug: "a result is stored twice", checker: "results once", forge: storeTwice },
  { bug: "a result is made up", checker: "side effects", isTraceless: true },
  { bug: "an attempt is dispatched twice", checker: "side effects", trace: (_run, line) => line },
  {
    bug: "an attempt is repeated after a restart although its result was stored",
    checker: "side effects",
    trace: (_run, line) => line.replace(/^\d+/, "1"),
  },
  {
    bug: "a suspect is let into the next node",
    checker: "suspects stay outside",
    trace: (_run, line) => line.replace(/^\d+/, "1"),
    pretend: interrupt,
  },
  { bug: "a timer outlives its run", checker: "nothing is left over", damage: ["INSERT INTO run_timers VALUES (now() + interval '1 hour', $1, 9)"] },
  {
    bug: "a run forgets why it waits",
    checker: "everything has a wake-up",
    damage: ["UPDATE workflow_runs SET status = 'waiting', wake = 0, ended_at = NULL WHERE id = $1"],
  },
  {
    bug: "a timer of a run that waits is lost",
    checker: "everything has a wake-up",
    damage: ["UPDATE workflow_runs SET status = 'waiting', wake = 2, ended_at = NULL WHERE id = $1"],
  },
  {
    bug: "a run counts as being worked on and is not",
    checker: "everything has a wake-up",
    damage: ["UPDATE workflow_runs SET status = 'running', wake = 1, ended_at = NULL WHERE id = $1"],
  },
];

const TABLES = ["workflow_runs", "journal", "run_timers", "run_keys"];

/** See the file header. */
export const plants: Scenario = ({ random, say }) =>
  withFolder(async (folder) => {
    const server = await PgServer.open(join(folder, "server"));
    await server.start();
    const node = new ChaosNode({ folder, pgUrl: server.url });
    const load = new Load({ target: node, random, name: "b", width: 40, orders: 120 });
    try {
      await node.start();
      await load.deploy();
      load.start();
      await load.settled(120);
      const healthy = await settleAndAudit(node, folder, load);
      await node.stop();
      const scene: Scene = {
        pgUrl: server.url,
        effects: effectsFile(folder),
        orders: load.orders,
        boots: [...node.boots, { pid: 1, cutAtMs: Number.MAX_VALUE }],
      };
      const missed = healthy.findings.length > 0 ? healthy.findings : await plantAll(scene, say);
      return { summary: [`${PLANTS.length} bugs were planted, ${PLANTS.length - missed.length} were noticed`], findings: missed };
    } finally {
      node.process.kill("SIGKILL");
      await server.stop("immediate");
    }
  });

/** Plants the bugs one after the other in a store that nobody writes to; answers those that went unnoticed. */
async function plantAll(scene: Scene, say: (line: string) => void): Promise<string[]> {
  const victim = scene.orders.find((order) => order.kind.name === "steps" && order.key !== undefined && order.told !== undefined);
  if (victim === undefined) return ["there is no run to damage"];
  const missed: string[] = [];
  for (const plant of PLANTS) {
    const evidence = await damaged(scene, plant, victim);
    const [finding] = CHECKERS[plant.checker](evidence);
    say(`${plant.bug}: ${finding ?? "not noticed"}`);
    if (finding === undefined) missed.push(`"${plant.checker}" does not notice that ${plant.bug}`);
  }
  return missed;
}

async function damaged(
  scene: Scene,
  { damage = [], forge, trace, isTraceless, tell, pretend = (stored) => stored }: Plant,
  victim: Order,
): Promise<Evidence> {
  const [run = ""] = victim.acknowledged;
  const database = new PgDatabase({ url: scene.pgUrl, applicationName: "chaos-plant" });
  const effects = readFileSync(scene.effects, "utf8");
  const own = effects.split("\n").filter((line) => line.includes(run));
  try {
    for (const table of TABLES) await database.query(`CREATE TABLE kept_${table} AS TABLE ${table}`);
    for (const text of damage) await database.query(text, [run]);
    await forge?.(database, run);
    if (trace !== undefined) appendFileSync(scene.effects, `${trace(run, own[0] ?? "")}\n`);
    if (isTraceless) writeFileSync(scene.effects, effects.replaceAll(`${own[0] ?? ""}\n`, ""));
    const orders = scene.orders.map((order) => (order === victim && tell !== undefined ? tell(order) : order));
    const evidence = await readEvidence({ ...scene, orders });
    return { ...evidence, runs: evidence.runs.map((stored) => (stored.id === run ? pretend(stored) : stored)) };
  } finally {
    for (const table of TABLES) {
      await database.query(`TRUNCATE ${table}`);
      await database.query(`INSERT INTO ${table} TABLE kept_${table}`);
      await database.query(`DROP TABLE kept_${table}`);
    }
    writeFileSync(scene.effects, effects);
    await database.close();
  }
}
