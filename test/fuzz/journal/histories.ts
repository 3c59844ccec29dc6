/** Histories of real runs, made by the pure core from random workflows and random fates, and kept turn by turn. */
import fc from "fast-check";
import type { Workflow } from "../../../actors/language/model.ts";
import type { RunCommand } from "../../../actors/run/core/command.ts";
import { type Entry, encodeEntries } from "../../../actors/run/core/entry.ts";
import { headOf } from "../../../actors/run/core/head.ts";
import { encodeSnapshot } from "../../../actors/run/core/snapshot.ts";
import { RunSnapshot } from "../../../proto/gen/maestro/journal/v1/snapshot.ts";
import { seededRandom } from "../../../runtime/random.ts";
import type { RunHead } from "../../../runtime/storage/journal.ts";
import { compileText } from "../../support/compile-document.ts";
import { RANDOM_SIGNALS, randomDocument } from "../../support/random-workflow.ts";
import { RunWorld, thrown } from "../../support/run-world.ts";
import { Chance } from "../chance.ts";

/** What one turn of a run stored. */
export interface Turn {
  readonly entries: readonly Entry[];
  /** The state after it, encoded; undefined once the run has ended. */
  readonly snapshot: Uint8Array | undefined;
}

/** One run as it may stand in a store. */
export interface History {
  readonly workflowId: string;
  readonly workflow: Workflow;
  readonly turns: readonly Turn[];
  readonly head: RunHead;
  readonly timers: readonly { readonly timer: number; readonly dueAtMs: number }[];
}

const FATES_MAX = 12;

class RecordedWorld extends RunWorld {
  readonly turns: Turn[] = [];
  readonly #workflowId: string;
  #seen = 0;

  constructor(workflow: Workflow, workflowId: string, seed: number) {
    super(workflow, {}, seed);
    this.#workflowId = workflowId;
  }

  override turn(command: RunCommand): void {
    super.turn(command);
    const entries = this.entries.slice(this.#seen).map((entry) => this.#owned(entry));
    this.#seen = this.entries.length;
    if (entries.length === 0) return;
    const snapshot = this.state.status === "running" ? this.#snapshot() : undefined;
    this.turns.push({ entries, snapshot });
  }

  #owned(entry: Entry): Entry {
    if (entry.event?.$case !== "runStarted") return entry;
    return { ...entry, event: { $case: "runStarted", value: { ...entry.event.value, workflowId: this.#workflowId } } };
  }

  #snapshot(): Uint8Array {
    const snapshot = RunSnapshot.decode(encodeSnapshot(this.state));
    return RunSnapshot.encode({ ...snapshot, workflowId: this.#workflowId }).finish();
  }
}

/** `count` histories. The same seed makes the same ones. */
export function makeHistories(count: number, seed: number): Promise<readonly History[]> {
  const documents = fc.sample(randomDocument(), { numRuns: count, seed });
  return Promise.all(
    documents.map(async (document, at) =>
      historyOf(await compileText(document), `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`, new Chance(seededRandom(seed + at))),
    ),
  );
}

function historyOf(workflow: Workflow, workflowId: string, chance: Chance): History {
  const world = new RecordedWorld(workflow, workflowId, chance.below(2 ** 32));
  world.start({ n: 1 });
  for (let left = chance.below(FATES_MAX); left > 0 && world.state.status === "running"; left -= 1) goOn(world, chance);
  const timers = [...world.state.timers.values()].map(({ id, dueAtMs }) => ({ timer: id, dueAtMs }));
  return { workflowId, workflow, turns: world.turns, head: headOf(world.state, world.nowMs), timers };
}

function goOn(world: RunWorld, chance: Chance): void {
  const [attempt] = world.underWay.values();
  if (attempt !== undefined) return void world.settle(attempt.call.path, chance.oneIn(3) ? thrown() : { kind: "completed", output: '{"n":2}' });
  if (chance.oneIn(2)) return void world.tell({ kind: "signal", signal: { name: chance.pick(RANDOM_SIGNALS), payload: "1", signalId: "" } });
  world.advance(60_000);
}

/** The bytes of some entries. */
export function bytesOf(entries: readonly Entry[]): Uint8Array {
  return encodeEntries([...entries]);
}
