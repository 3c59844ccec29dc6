/**
 * What executes on a node, as stages: worker pool, expressions, runs, and the end of work under way when the node stops.
 */
import { resolve } from "node:path";
import type { Capabilities } from "../actors/language/compile/compilation.ts";
import { compileWorkflow } from "../actors/language/compile-workflow.ts";
import type { ExternalEvaluator } from "../actors/language/expression.ts";
import { jqWasmEvaluator } from "../actors/language/jq/jq-wasm-evaluator.ts";
import type { Workflow } from "../actors/language/model.ts";
import { WorkflowCache } from "../actors/language/workflow-cache.ts";
import { YamlThreads } from "../actors/language/yaml-threads.ts";
import { type OpenRuns, openRuns } from "../actors/run/open-runs.ts";
import type { Clock } from "../runtime/clock.ts";
import { MaestroError } from "../runtime/errors.ts";
import type { EventHub } from "../runtime/events.ts";
import type { BootId } from "../runtime/ids.ts";
import type { Random } from "../runtime/random.ts";
import { pause } from "../runtime/storage/pause.ts";
import type { QueuedPool } from "../runtime/workers/queue-load.ts";
import { type NodePool, startWorkerPool } from "../runtime/workers/tiered-pool.ts";
import type { Config } from "./config.ts";
import type { Stage } from "./lifecycle.ts";
import { NodeEvents } from "./node-events.ts";
import { type NodeStorage, started } from "./node-storage.ts";

/** Longest recovery of the runs of an earlier boot. */
const RECOVERY_MS = 300_000;
/** Time that tasks under way get to end by themselves when the node stops, in milliseconds. What they have not finished is done again elsewhere. */
export const TASK_GRACE_MS = 5_000;
/** How often it is looked whether they have. */
const TASK_POLL_MS = 20;

/** What the stages need. */
export interface NodeRunsOptions {
  readonly config: Config;
  readonly bootId: BootId;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  readonly storage: NodeStorage;
  /** The pool that runs use, around the node's own. */
  poolOf(local: QueuedPool): QueuedPool;
  /** Aborted: tasks under way get no time to end. */
  readonly hurried: AbortSignal;
  /** Another boot took over. */
  onLost(): void;
  /** Something failed that is tried again; for the log. */
  onTrouble(what: string, error: unknown): void;
}

/** The runs of one boot. Its parts are there once their stage has started. */
export class NodeRuns {
  /** The events of these runs. */
  readonly events: NodeEvents;
  readonly #options: NodeRunsOptions;
  readonly #cache = new WorkflowCache((id) => this.#load(id));
  readonly #largeDocuments = new YamlThreads();
  #evaluator: ExternalEvaluator | undefined;
  #pool: QueuedPool | undefined;
  #local: NodePool | undefined;
  #open: OpenRuns | undefined;
  #isFenced = false;

  constructor(options: NodeRunsOptions) {
    this.#options = options;
    const { storage, events } = options;
    this.events = new NodeEvents({
      ...options,
      heldShards: () => storage.held,
      openCheckpoints: () => storage.openEventCheckpoints(),
      source: () => ({ journal: storage.journal, events, workflow: (id) => this.#cache.get(id) }),
      isHurried: () => this.#isFenced || options.hurried.aborted,
    });
  }

  /** The open runs. */
  get open(): OpenRuns {
    return started(this.#open, "runs");
  }

  /** The worker pool. */
  get pool(): QueuedPool {
    return started(this.#pool, "workers");
  }

  /** Another node may be about to be lost, and what it executed to be executed here. */
  prepareForLoss(): void {
    if (this.#options.config.roles.includes("executor")) this.#local?.prepareForLoss();
  }

  /** Compiles a document that is to be deployed, for the handlers and the rights of this node. @throws DOCUMENT_INVALID, SHELL_DISABLED ... */
  compile(text: string): Promise<Workflow> {
    return this.#compile(text, { handlers: new Set(this.pool.handlers.keys()), allowShell: this.#options.config.allowShell });
  }

  /** A version that is stored. @throws WORKFLOW_NOT_FOUND */
  workflow(id: string): Promise<Workflow> {
    return this.#cache.get(id);
  }

  /** The stages, in order of their start. */
  stages(): readonly Stage[] {
    return [this.#workers(), this.#expressions(), this.events.stage(), this.#runs(), this.#tasks()];
  }

  #workers(): Stage {
    const { config, clock, events, storage, poolOf } = this.#options;
    return {
      name: "workers",
      start: async () => {
        const folder = config.handlersFolder === undefined ? {} : { handlersFolder: resolve(config.handlersFolder) };
        const isExecutor = config.roles.includes("executor");
        // Without executing any, a node has to know the handlers all the same: it checks documents, and keeps the bounds of attempts.
        const threads = isExecutor ? config.threads : 1;
        const isChildNeeded = isExecutor && storage.bereft.size > 0;
        this.#local = await startWorkerPool({ ...{ clock, events, threads, allowShell: config.allowShell, isChildNeeded }, ...folder });
        this.#pool = poolOf(this.#local);
      },
      stop: async () => {
        await this.pool.stop(0);
        // What went on although its run had left has ended now.
        await this.#open?.slots.close();
      },
    };
  }

  #expressions(): Stage {
    return {
      name: "expressions",
      start: () => {
        this.#evaluator = jqWasmEvaluator(this.#options.clock);
      },
      stop: async () => void (await Promise.all([started(this.#evaluator, "expressions").close(), this.#largeDocuments.close()])),
    };
  }

  #runs(): Stage {
    const { config, bootId, clock, random, events, storage, onLost, onTrouble } = this.#options;
    const onFenced = (): void => {
      this.#isFenced = true;
      onLost();
    };
    return {
      name: "runs",
      startTimeoutMs: RECOVERY_MS,
      start: async () => {
        const { journal, ledger } = storage;
        const evaluator = started(this.#evaluator, "expressions");
        const workflow = (id: string): Promise<Workflow> => this.#cache.get(id);
        const parts = { bootId, clock, random, events, journal, ledger, taskSlots: storage.taskSlots, pool: this.pool, evaluator, workflow };
        const { publisher: outlet } = this.events;
        this.#open = await openRuns({ nodeName: config.nodeName, held: storage.held, bereft: storage.bereft, ...parts, outlet, onFenced, onTrouble });
      },
      stop: async () => {
        await this.open.close();
        if (this.open.isAdopting) storage.endAsLost();
      },
    };
  }

  /** Starts nothing: at the stop it lets short tasks end, so that they need not be done again. */
  #tasks(): Stage {
    const { clock, hurried } = this.#options;
    return {
      name: "tasks",
      start: () => undefined,
      stop: async () => {
        this.open.stopStarting();
        const endMs = clock.monotonic() + TASK_GRACE_MS;
        while (this.pool.state.active > 0 && !hurried.aborted && clock.monotonic() < endMs) await pause(TASK_POLL_MS, clock);
      },
    };
  }

  async #load(id: string): Promise<Workflow> {
    const record = await this.#options.storage.documents.byId(id);
    if (record === undefined) throw new MaestroError("WORKFLOW_NOT_FOUND", { facts: { workflow: id } });
    // What is stored was checked when it was deployed; a run must be able to go on where its handler was removed meanwhile. Where the shell
    // is not allowed, the worker pool refuses its attempts.
    return this.#compile(record.text, { handlers: undefined, allowShell: true });
  }

  #compile(text: string, capabilities: Capabilities): Promise<Workflow> {
    return compileWorkflow(text, { ...capabilities, evaluator: started(this.#evaluator, "expressions"), largeDocuments: this.#largeDocuments });
  }
}
