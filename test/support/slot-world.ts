/**
 * Nodes that execute attempts with concurrency keys, on a virtual clock: real dispatchers, slots and reclaimers over one store of slots that is slow and fails;
 * pools and histories are models. Nodes are killed, and shards handed over, at any moment. Everything follows from the seed.
 */
import assert from "node:assert/strict";
import { attemptIdOf } from "../../actors/run/attempt-id.ts";
import { ConcurrencySlots } from "../../actors/run/concurrency-slots.ts";
import { Dispatcher } from "../../actors/run/dispatcher.ts";
import { ChangingShards } from "../../actors/run/served-shards.ts";
import { SlotReclaimer } from "../../actors/run/slot-reclaimer.ts";
import { type VirtualClock, virtualClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import { type BootId, newBootId, newRunId, type RunId, type Shard, shardOf } from "../../runtime/ids.ts";
import { type Random, seededRandom } from "../../runtime/random.ts";
import { MemoryStore } from "../../runtime/storage/memory-store.ts";
import { MemoryTaskSlots } from "../../runtime/storage/memory-task-slots.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { SlotRequest, TaskSlots } from "../../runtime/storage/task-slots.ts";
import type { Attempt, AttemptOutcome, WorkerPool } from "../../runtime/workers/pool.ts";
import type { ConcurrencyLimit } from "../../runtime/workers/scheduling.ts";
import { PATIENCE } from "../../runtime/workers/thread-pool-options.ts";
import { nextTurn } from "./next-turn.ts";
import { SlowSlots } from "./slow-slots.ts";

const SHARDS = 4;
const STEP_MS = 5;
/** Time that a handed-over shard's attempts get. */
const GRACE_MS = 50;
const COMMIT_MS = 20;
const EXECUTION_MS = 400;
/** Longest time that a cancelled attempt goes on. */
const STUBBORN_MS = PATIENCE.cancelGraceMs + PATIENCE.blockedMs;
/** Longest time until a run is read back after its shard has a new owner. */
const LATE_MS = 20_000;

/** An attempt as the history of its run has it. */
interface Scheduled {
  readonly runId: RunId;
  readonly concurrency: ConcurrencyLimit;
  readonly priority: number;
  isOver: boolean;
}

interface Node {
  readonly bootId: BootId;
  readonly served: ChangingShards;
  readonly dispatcher: Dispatcher;
  readonly slots: ConcurrencySlots;
  readonly reclaimer: SlotReclaimer;
  readonly view: SlowSlots;
  /** Ids of attempts that its pool executes. */
  readonly executing: Map<string, ConcurrencyLimit>;
  isAlive: boolean;
}

/** See the file header. */
export class SlotWorld {
  readonly clock: VirtualClock = virtualClock();
  readonly random: Random;
  readonly store = new MemoryStore(this.clock);
  /** Most attempts that were executed at a time, by key. */
  readonly most = new Map<string, number>();
  readonly #slots: TaskSlots = new MemoryTaskSlots(this.store);
  #failures = 0;
  readonly #scheduled = new Map<string, Scheduled>();
  readonly #nodes: Node[] = [];
  readonly #hashes: ((hashes: readonly string[]) => void)[] = [];
  readonly #moving = new Set<Shard>();

  constructor(seed: number, nodes: number) {
    this.random = seededRandom(seed);
    for (let count = 0; count < nodes; count++) this.#start();
    for (let shard = 0; shard < SHARDS; shard++) this.#give(shard as Shard, this.#nodes[shard % nodes] as Node);
  }

  /** Attempts that are not over. */
  get left(): number {
    return [...this.#scheduled.values()].filter(({ isOver }) => !isOver).length;
  }

  /** Those of them that ask for this limit. */
  leftOf(limit: number): number {
    return [...this.#scheduled.values()].filter(({ isOver, concurrency }) => !isOver && concurrency.limit === limit).length;
  }

  /** Share of the store's calls that fail from now on. */
  set failures(share: number) {
    this.#failures = share;
    for (const { view } of this.#nodes) view.failures = share;
  }

  /** Schedules an attempt with a key. */
  schedule(concurrency: ConcurrencyLimit, priority = 1 + this.#below(5)): void {
    const shard = this.#below(SHARDS) as Shard;
    const runId = newRunId(shard, this.clock.now(), this.random);
    const attempt: Scheduled = { runId, concurrency, priority, isOver: false };
    this.#scheduled.set(attemptIdOf({ runId, frame: 1, attempt: 1 }), attempt);
    const owner = this.#ownerOf(shard);
    if (owner !== undefined) this.#dispatch(owner, attempt);
  }

  /** The run of some attempt is cancelled. */
  cancel(): void {
    const open = [...this.#scheduled.values()].filter(({ isOver }) => !isOver);
    const attempt = open[this.#below(Math.max(1, open.length))];
    if (attempt === undefined) return;
    const owner = this.#ownerOf(shardOf(attempt.runId));
    if (owner?.served.has(shardOf(attempt.runId)) !== true) return;
    attempt.isOver = true;
    owner.dispatcher.over(attempt.runId, viewOf(attempt), "cancelled", undefined);
    owner.dispatcher.abandon(attempt.runId, 1, 1);
  }

  /** A node dies, another starts and takes its shards over a little later. What the dead one asked of the store may still happen. */
  kill(): void {
    const node = this.#anyNode();
    node.isAlive = false;
    node.executing.clear();
    node.view.isCut = true;
    node.dispatcher.close();
    const heir = this.#start();
    this.clock.schedule(this.random.fraction() * 500, () => {
      for (const [shard, { owner }] of this.store.shards) if (owner === node.bootId) this.#give(shard, heir.isAlive ? heir : this.#anyNode());
    });
  }

  /** A shard is handed over in order. */
  async handOver(): Promise<void> {
    const shard = this.#below(SHARDS) as Shard;
    const [owner, heir] = [this.#ownerOf(shard), this.#anyNode()];
    if (owner === undefined || owner === heir || this.#moving.has(shard)) return;
    this.#moving.add(shard);
    owner.served.delete([shard]);
    const leave = (): Promise<void> => owner.dispatcher.leave(ShardSet.of([shard]), GRACE_MS).catch(leave);
    await leave();
    this.#moving.delete(shard);
    if (owner.isAlive) this.#give(shard, heir.isAlive ? heir : this.#anyNode());
  }

  /** Lets time pass. No key ever has more attempts under way than its limit. */
  async pass(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += STEP_MS) {
      this.clock.advance(STEP_MS);
      await nextTurn();
      this.#check();
    }
  }

  #check(): void {
    const underWay = new Map<string, { readonly limit: number; readonly ids: Set<string> }>();
    for (const node of this.#nodes) {
      for (const [id, { key, limit }] of node.executing) {
        const ofKey = { limit: Math.min(limit, underWay.get(key)?.limit ?? limit), ids: underWay.get(key)?.ids ?? new Set<string>() };
        underWay.set(key, ofKey);
        // An attempt that is executed again while its first execution is being cancelled is one attempt.
        ofKey.ids.add(id);
      }
    }
    for (const [key, { limit, ids }] of underWay) {
      this.most.set(key, Math.max(this.most.get(key) ?? 0, ids.size));
      assert.ok(ids.size <= limit, `${ids.size} attempts with the key ${key} are under way at ${this.clock.monotonic()} ms; at most ${limit} may be`);
    }
  }

  /** Every execution has a slot of its own: none is given while there are as many executions as the key allows, also of attempts that are over. */
  async #take(bootId: BootId, wanted: readonly SlotRequest[]): Promise<readonly SlotRequest[]> {
    const before = new Set(this.store.slots.keys());
    const taken = await this.#slots.take(bootId, wanted);
    for (const { key, limit } of wanted) {
      const given = [...this.store.slots].filter(([name, slot]) => slot.key === key && !before.has(name)).length;
      const executed = this.#nodes.flatMap(({ executing }) => [...executing.values()]).filter((of) => of.key === key).length;
      assert.ok(
        given === 0 || given + executed <= limit,
        `${given} slots of ${key} were given beside ${executed} executions; at most ${limit} may be`,
      );
    }
    return taken;
  }

  #start(): Node {
    const { clock, random } = this;
    const view = new SlowSlots(this.#slots, clock, random, (taker, wanted) => this.#take(taker, wanted));
    view.failures = this.#failures;
    const [bootId, served, executing, events] = [newBootId(random), new ChangingShards(), new Map<string, ConcurrencyLimit>(), new EventHub()];
    const onTrouble = (): void => undefined;
    const epochsOf = (shards: Iterable<Shard>) => new Map([...shards].map((shard) => [shard, this.store.shards.get(shard)?.epoch ?? 0]));
    const slots = new ConcurrencySlots({ store: view, bootId, clock, random, events, held: { epochsOf }, onTrouble });
    const settle = (runId: RunId): void => this.#commit(node, runId);
    const dispatcher: Dispatcher = new Dispatcher({
      ...{ pool: this.#pool(() => node), clock, slots, shards: served, settle, onTrouble },
      ledger: { record: () => undefined, flush: async () => undefined, close: async () => undefined },
      isolate: () => undefined,
    });
    const isNeeded = (id: string): boolean => dispatcher.needsSlot(id) || slots.willFree(id);
    const reclaimer = new SlotReclaimer({ store: view, clock, random, shards: served, isNeeded, reclaim: (left) => slots.reclaim(left), onTrouble });
    const node: Node = { bootId, served, dispatcher, slots, reclaimer, view, executing, isAlive: true };
    this.#hashes.push((hashes) => node.isAlive && slots.noteFreed(hashes));
    // Messages are hints: half of them get lost.
    slots.share((hashes) => {
      for (const hear of this.#hashes) if (random.fraction() < 0.5) clock.schedule(random.fraction() * 10, () => hear(hashes));
    });
    reclaimer.start();
    this.#nodes.push(node);
    return node;
  }

  #pool(nodeOf: () => Node): WorkerPool {
    const running = new Map<string, (outcome: AttemptOutcome) => void>();
    const end = (id: string, outcome: AttemptOutcome): void => {
      const settle = running.get(id);
      if (settle === undefined || !nodeOf().isAlive) return;
      running.delete(id);
      nodeOf().executing.delete(id);
      settle(outcome);
    };
    return {
      handlers: new Map(),
      state: { threads: 1, active: 0, queued: 0 },
      submit: (attempt: Attempt, settle) => {
        assert.ok(nodeOf().isAlive && attempt.concurrency !== undefined && !running.has(attempt.id));
        running.set(attempt.id, settle);
        nodeOf().executing.set(attempt.id, attempt.concurrency);
        const isLong = this.random.fraction() < 0.1;
        const isLost = this.random.fraction() < 0.05;
        const outcome: AttemptOutcome = isLost
          ? { kind: "failed", error: { kind: "lost", message: "a neighbour" } }
          : { kind: "completed", output: "1" };
        this.clock.schedule(this.random.fraction() * (isLong ? STUBBORN_MS : EXECUTION_MS), () => end(attempt.id, outcome));
      },
      waitingSinceMs: () => undefined,
      cancel: (id) => void this.clock.schedule(this.random.fraction() * STUBBORN_MS, () => end(id, { kind: "cancelled" })),
      stop: async () => undefined,
    };
  }

  /** The end of an attempt is stored, if its node still may. */
  #commit(node: Node, runId: RunId): void {
    this.clock.schedule(this.random.fraction() * COMMIT_MS, () => {
      const attempt = this.#scheduled.get(attemptIdOf({ runId, frame: 1, attempt: 1 }));
      const isOwner = this.store.shards.get(shardOf(runId))?.owner === node.bootId;
      if (!node.isAlive || !isOwner || attempt === undefined || attempt.isOver) return;
      attempt.isOver = true;
      node.dispatcher.over(runId, viewOf(attempt), "completed", undefined);
    });
  }

  #give(shard: Shard, node: Node): void {
    this.store.shards.set(shard, { owner: node.bootId, epoch: (this.store.shards.get(shard)?.epoch ?? 0) + 1, isBereft: false });
    node.served.add([shard]);
    for (const attempt of this.#scheduled.values()) {
      if (attempt.isOver || shardOf(attempt.runId) !== shard) continue;
      // Some runs are read back late.
      const delayMs = this.random.fraction() * (this.random.fraction() < 0.2 ? LATE_MS : GRACE_MS);
      this.clock.schedule(delayMs, () => !attempt.isOver && this.#dispatch(node, attempt));
    }
  }

  #dispatch(node: Node, attempt: Scheduled): void {
    node.dispatcher.dispatch(attempt.runId, viewOf(attempt), "{}", "");
  }

  #ownerOf(shard: Shard): Node | undefined {
    const owner = this.store.shards.get(shard)?.owner;
    return this.#nodes.find(({ bootId, isAlive }) => isAlive && bootId === owner);
  }

  #below(bound: number): number {
    return Math.floor(this.random.fraction() * bound);
  }

  #anyNode(): Node {
    const alive = this.#nodes.filter(({ isAlive }) => isAlive);
    return alive[this.#below(alive.length)] as Node;
  }
}

function viewOf({ concurrency, priority }: Scheduled) {
  return { frame: 1, attempt: 1, handler: "h", path: "/do/0/h", createdAtMs: 0, scheduling: { concurrency, priority } };
}
