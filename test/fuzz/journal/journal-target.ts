/**
 * Histories that are read back. Whatever the store holds: a damaged run is quarantined, or what is left of it is sound; every caller is answered; the other
 * runs go on; and the node neither ends nor restarts a run's actor without end.
 */
import assert from "node:assert/strict";
import { seededRandom } from "../../../runtime/random.ts";
import { ENDED, type RunStatus } from "../../../runtime/storage/journal.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { Chance } from "../chance.ts";
import { type FuzzTarget, Tally } from "../target.ts";
import { type JournalBed, type OpenBed, statusIn } from "./bed.ts";
import { DAMAGES, type Damage } from "./damage.ts";
import { type History, makeHistories } from "./histories.ts";
import { memoryBed } from "./memory-bed.ts";
import { PROBES, probe } from "./probes.ts";
import { type StoredRun, storedRun } from "./stored-run.ts";

const HISTORIES = 200;
/** One run in so many is left as it is. */
const SOUND_IN = 10;
/** Probes that only read. A history that no program has written can also break a run that goes on from it, which is nobody's to name. */
const READERS: ReadonlySet<string> = new Set(["history", "late history", "watch"]);
/** Restarts of one actor that its supervision allows, for each time that it was released. */
const FAILURES_MAX = 6;

/** One damaged run and who asks for it. */
export interface JournalCase {
  readonly seed: number;
  readonly probes: readonly string[];
}

interface Prepared {
  readonly run: StoredRun;
  /** Undefined: the run is sound. */
  readonly damage: Damage | undefined;
  readonly isCertain: boolean;
}

/** How to judge. */
export interface JournalOptions {
  /** Where the histories lie. Default: in memory. */
  readonly bed?: JournalBed;
  /** Default: "journal". */
  readonly name?: string;
}

/** The target. */
export async function journalTarget(options: JournalOptions = {}): Promise<FuzzTarget<JournalCase>> {
  const histories = await makeHistories(HISTORIES, 3);
  const { bed = memoryBed(), name = "journal" } = options;
  const tally = new Tally();
  return {
    name,
    width: 400,
    batchMs: 30_000,
    generate: (chance) => ({ seed: chance.below(2 ** 32), probes: chance.list(1 + chance.below(3), () => chance.pick(Object.keys(PROBES))) }),
    check: (cases) => checkBatch(cases, histories, { bed, tally }),
    smaller: ({ seed, probes }) => (probes.length > 1 ? probes.map((name) => ({ seed, probes: [name] })) : []),
    show: (input) => `${prepared(input, histories).damage?.name ?? "sound"}: ${JSON.stringify(input)}`,
    settle: async () => undefined,
    outcomes: () => String(tally),
    close: () => bed.close(),
  };
}

function prepared({ seed }: JournalCase, histories: readonly History[]): Prepared {
  const chance = new Chance(seededRandom(seed));
  const run = storedRun(chance.pick(histories), chance);
  if (chance.oneIn(SOUND_IN)) return { run, damage: undefined, isCertain: false };
  const damage = chance.pick(DAMAGES);
  // a snapshot spares the reading of what came before it
  const isCertain = damage.isCertain && run.snapshots.length === 0;
  damage.apply(run, chance, chance.pick(histories));
  return { run, damage, isCertain };
}

async function checkBatch(cases: readonly JournalCase[], histories: readonly History[], judging: Judging): Promise<readonly unknown[]> {
  const runs = cases.map((input) => prepared(input, histories));
  const open = await judging.bed.open(
    runs.map(({ run }) => run),
    histories,
  );
  const failures = countFailures(open);
  try {
    return await Promise.all(cases.map((input, at) => problemWith(input, runs[at] as Prepared, { ...judging, open, failures })));
  } finally {
    await open.stop();
  }
}

/** Failures of each run's actor. */
function countFailures(open: OpenBed): ReadonlyMap<string, number> {
  const failures = new Map<string, number>();
  open.events.on("actor.failed", ({ path }) => {
    const runId = path.slice(path.lastIndexOf("/") + 1);
    failures.set(runId, (failures.get(runId) ?? 0) + 1);
  });
  return failures;
}

interface Judging {
  readonly bed: JournalBed;
  readonly tally: Tally;
}

interface Judged extends Judging {
  readonly open: OpenBed;
  readonly failures: ReadonlyMap<string, number>;
}

async function problemWith(input: JournalCase, { run, damage, isCertain }: Prepared, judged: Judged): Promise<unknown> {
  const { open, failures, tally } = judged;
  const { runId } = run;
  try {
    const before = (await statusIn(open, runId)) as RunStatus;
    const answers = await Promise.all(input.probes.map((name) => probe(name, open.runs, runId)));
    answers.push(await probe("get", open.runs, runId));
    if (damage === undefined) await checkSound(open, run, answers);
    else if (isCertain && ENDED.has(before)) assert.equal(await statusIn(open, runId), before, "a run that has ended stays what it was");
    else if (isCertain)
      await waitUntil(`run ${runId} (${damage.name}) to be quarantined`, async () => (await statusIn(open, runId)) === "quarantined", 5_000);
    for (const [at, answer] of answers.entries()) {
      assert.ok(answer !== "INTERNAL" || !(isCertain || READERS.has(input.probes[at] ?? "")), "damage is named as such");
    }
    const releases = input.probes.filter((name) => name === "release").length;
    assert.ok((failures.get(runId) ?? 0) <= FAILURES_MAX * (1 + releases), `the actor failed ${failures.get(runId)} times`);
    tally.add(damage === undefined ? "sound" : outcomeOf(await statusIn(open, runId), answers));
    return undefined;
  } catch (error) {
    return error;
  }
}

function outcomeOf(status: string, answers: readonly string[]): string {
  if (status === "quarantined") return status;
  return answers.includes("JOURNAL_CORRUPT") ? "refused" : "bearable";
}

/** A run that was left alone goes on: it can be ended. */
async function checkSound({ runs }: OpenBed, { runId }: StoredRun, answers: readonly string[]): Promise<void> {
  const ending = await probe("terminate", runs, runId);
  assert.ok(ending === "answered" || ending === "RUN_ENDED", `a sound run answers ${ending}`);
  for (const answer of answers) assert.ok(!/CORRUPT|QUARANTINED$/.test(answer) || answer === "RUN_NOT_QUARANTINED", `a sound run answers ${answer}`);
}
