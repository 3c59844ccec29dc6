/**
 * Whether a node takes work, as its stages and its database say: listens to both and keeps the sum (`readiness.ts`). It changes nothing else.
 */
import type { Clock } from "../runtime/clock.ts";
import type { EventHub } from "../runtime/events.ts";
import { CommitWatch } from "./commit-watch.ts";
import { Readiness } from "./readiness.ts";

/** Name of the stage, and check, of the message bus. */
const BUS = "bus";
/** Name of the stage, and check, of a node's part in its cluster. */
const CLUSTER = "cluster";
/** Name of the check that commits get through. */
const JOURNAL = "journal";

/** What it needs. */
export interface NodeHealthOptions {
  /** The stages that have to be started, by name. */
  readonly stages: readonly string[];
  readonly events: EventHub;
  readonly clock: Clock;
  /** Hears when the sum becomes another. */
  onChange(isReady: boolean): void;
}

/** The health of one boot. */
export class NodeHealth {
  readonly readiness: Readiness;
  readonly #stages: ReadonlySet<string>;
  #isStopping = false;

  /** Listens from now on. */
  constructor({ stages, events, clock, onChange }: NodeHealthOptions) {
    this.#stages = new Set(stages);
    this.readiness = new Readiness([...stages, JOURNAL], onChange);
    events.on("database.exited", ({ reason }) => this.#report("database", reason));
    events.on("lease.failed", ({ reason }) => this.#report("database", reason));
    events.on("lease.renewed", () => this.#report("database"));
    events.on("cluster.unheard", ({ peers }) => this.#report(CLUSTER, `none of ${peers} other nodes is heard on the message bus`));
    events.on("cluster.heard", () => this.#report(CLUSTER));
    events.on("bus.disconnected", ({ reason }) => this.readiness.note(BUS, `not connected, runs of other nodes can't be reached: ${reason}`));
    events.on("bus.connected", () => this.readiness.note(BUS, ""));
    const onStalled = (reason: string): void => this.#report(JOURNAL, reason);
    new CommitWatch({ events, clock, onStalled, onRecovered: () => this.#report(JOURNAL) });
  }

  /** A stage has started. Those that do not count may be told of, too. */
  stageStarted(stage: string): void {
    if (this.#stages.has(stage)) this.readiness.ready(stage);
    if (stage === "stores") this.readiness.ready(JOURNAL);
  }

  /** The node takes no work from now on, whatever its parts say. */
  stopping(): void {
    this.#isStopping = true;
    for (const { name } of this.readiness.checks()) this.readiness.notReady(name, "the node is stopping");
  }

  /** An empty reason says that all is well. */
  #report(name: string, reason = ""): void {
    if (this.#isStopping) return;
    if (reason === "") this.readiness.ready(name);
    else this.readiness.notReady(name, reason);
  }
}
