/**
 * The runs of a node without the node: real actors over the memory journal, with tasks answered by plain functions on the machine's clock. The store outlives
 * a node, so a test can let one crash and start another.
 */

import type { EventOutlet } from "../../actors/events/event-publisher.ts";
import { type Json, Payload } from "../../actors/json.ts";
import type { Workflow } from "../../actors/language/model.ts";
import type { AdmissionBounds } from "../../actors/run/admission.ts";
import type { RunSource } from "../../actors/run/loading.ts";
import { type OpenRuns, openRuns } from "../../actors/run/open-runs.ts";
import type { Runs, StartRun } from "../../actors/runs.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { EventHub } from "../../runtime/events.ts";
import { type BootId, newBootId } from "../../runtime/ids.ts";
import { systemRandom } from "../../runtime/random.ts";
import { HeldShards } from "../../runtime/storage/held-shards.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import { MemoryFaults } from "../../runtime/storage/memory-faults.ts";
import { openMemoryJournal } from "../../runtime/storage/memory-journal.ts";
import { MemoryOwnership } from "../../runtime/storage/memory-ownership.ts";
import { MemoryStore } from "../../runtime/storage/memory-store.ts";
import { MemoryTaskLedger } from "../../runtime/storage/memory-task-ledger.ts";
import { MemoryTaskSlots } from "../../runtime/storage/memory-task-slots.ts";
import type { TaskLedger } from "../../runtime/storage/task-ledger.ts";
import type { Attempt, AttemptOutcome, WorkerPool } from "../../runtime/workers/pool.ts";
import { compileText, HEAD } from "./compile-document.ts";

/** A handler of a test: a value, or a promise that may never settle. */
export type NodeHandler = (input: Json, attempt: Attempt) => Json | Promise<Json>;

/** The tasks of one or more nodes: what was executed, and how it is answered. */
export class Tasks implements WorkerPool {
  readonly handlers = new Map();
  readonly executed: Attempt[] = [];
  readonly cancelled: string[] = [];
  readonly #answers: Readonly<Record<string, NodeHandler>>;

  constructor(answers: Readonly<Record<string, NodeHandler>>) {
    this.#answers = answers;
  }

  get state() {
    return { threads: 1, active: 0, queued: 0 };
  }

  submit(attempt: Attempt, settle: (outcome: AttemptOutcome) => void): void {
    this.executed.push(attempt);
    void this.#answer(attempt).then(settle);
  }

  waitingSinceMs(): undefined {
    return undefined;
  }

  cancel(attemptId: string): void {
    this.cancelled.push(attemptId);
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  async #answer(attempt: Attempt): Promise<AttemptOutcome> {
    try {
      const output = await this.#answers[attempt.handler]?.(JSON.parse(attempt.input) as Json, attempt);
      return { kind: "completed", output: Payload.of(output ?? null).text };
    } catch (error) {
      return { kind: "failed", error: { kind: "thrown", message: String(error) } };
    }
  }
}

/** What outlives a node. */
export class Store {
  readonly clock: Clock;
  readonly memory: MemoryStore;
  readonly workflows = new Map<string, Workflow>();

  /** `clock`: of the nodes on it, too. Default: the machine's. */
  constructor(clock: Clock = systemClock()) {
    this.clock = clock;
    this.memory = new MemoryStore(clock);
  }

  /** Deploys a document whose body is `body`, and answers its id. */
  async deploy(body: string, name = "sample"): Promise<string> {
    const id = `workflow-${this.workflows.size + 1}`;
    this.workflows.set(id, await compileText(HEAD.replace("name: sample", `name: ${name}`) + body));
    return id;
  }
}

/** One boot of a node. */
export interface RunsNode {
  readonly runs: Runs;
  readonly open: OpenRuns;
  readonly journal: Journal;
  readonly ledger: TaskLedger;
  readonly held: HeldShards;
  readonly faults: MemoryFaults;
  readonly events: EventHub;
  readonly fenced: () => boolean;
  readonly troubles: readonly string[];
  /** Ends in order. */
  stop(): Promise<void>;
}

/** What a test makes an outlet for events from. */
export interface OutletParts {
  readonly bootId: BootId;
  readonly heldShards: HeldShards;
  readonly events: EventHub;
  readonly source: RunSource;
}

/** Starts a node on a store. The boot that had it before is fenced, dead or not. */
export async function startRunsNode(
  store: Store,
  tasks: Tasks,
  idleMs = 60_000,
  faults = new MemoryFaults(),
  admissionBounds?: AdmissionBounds,
  openOutlet?: (parts: OutletParts) => Promise<EventOutlet>,
): Promise<RunsNode> {
  const { clock, memory } = store;
  const random = systemRandom();
  const events = new EventHub();
  const bootId = newBootId(random);
  const ownership = new MemoryOwnership(memory);
  const { shards, bereft } = await ownership.join({ bootId, nodeName: "test", lanes: 1, leaseMs: 60_000 });
  const held = new HeldShards(shards);
  const journal = await openMemoryJournal({ store: memory, bootId, held, clock, random, events, faults });
  const ledger = new MemoryTaskLedger(memory);
  const troubles: string[] = [];
  let fenced = false;
  const workflow = async (id: string): Promise<Workflow> => {
    const found = store.workflows.get(id);
    if (found === undefined) throw new MaestroError("WORKFLOW_NOT_FOUND", { facts: { workflow: id } });
    return found;
  };
  const outlet = await openOutlet?.({ bootId, heldShards: held, events, source: { journal, events, workflow } });
  const open = await openRuns({
    ...{ nodeName: "test", clock, random, events, journal, idleMs, held, bereft, admissionBounds },
    pool: tasks,
    ledger,
    ...{ bootId, taskSlots: new MemoryTaskSlots(memory) },
    evaluator: { evaluate: async () => ({ value: "external" }), check: async () => undefined, close: async () => undefined },
    ...{ workflow, outlet },
    onFenced: () => {
      fenced = true;
    },
    onTrouble: (what, error) => troubles.push(`${what}: ${error}`),
  });
  const stop = async (): Promise<void> => {
    await open.close();
    if (!open.isAdopting) await ownership.leave(bootId);
  };
  return { runs: open.runs, open, journal, ledger, held, faults, events, troubles, fenced: () => fenced, stop };
}

/** A start of a workflow. */
export function startOf(workflowId: string, input: Json = {}, more: Partial<StartRun> = {}): StartRun {
  return { workflowId, input: Payload.of(input).text, userId: "tester", labels: {}, traceParent: "", ...more };
}
