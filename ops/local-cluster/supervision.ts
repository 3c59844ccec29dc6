/**
 * Keeps the processes of a local cluster running: one that dies is started again after a pause, which grows while it keeps dying. At the end all are stopped in
 * order. Says what happens to whoever shows it.
 */
import type { CancelTimer, Clock } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/errors.ts";
import { describeDuration } from "../cli/terminal.ts";
import type { LocalCluster } from "./local-cluster.ts";
import type { LocalNode } from "./local-node.ts";
import type { Program } from "./program.ts";

const PAUSE_MIN_MS = 2_000;
const PAUSE_MAX_MS = 30_000;
/** A process that lived for so long has nothing to do with its earlier deaths. */
const FORGIVEN_AFTER_MS = 30_000;
/** A node takes two requests to stop within 200 ms for one. */
const SECOND_REQUEST_MS = 300;

/** A process that is kept running. A node is one. */
export interface Supervised {
  readonly name: string;
  /** Where it listens; absent: that is nobody's business. */
  readonly address?: string;
  readonly program: Program | undefined;
  start(): Promise<unknown>;
}

/** What a process does. */
export type ProcessState = "starting" | "ready" | "dead" | "stopping" | "stopped";

/** Something that happened to a process. */
export interface ProcessNews {
  readonly name: string;
  readonly state: ProcessState;
  /** For people, in a few words. */
  readonly text: string;
  /** Of a process that is ready. */
  readonly pid?: number;
}

/** What supervision needs. */
export interface SupervisionOptions {
  readonly cluster: LocalCluster;
  readonly clock: Clock;
  report(news: ProcessNews): void;
}

/** The supervision of one cluster. */
export class Supervision {
  readonly #options: SupervisionOptions;
  readonly #states = new Map<string, ProcessState>();
  readonly #pauses = new Set<{ readonly cancel: CancelTimer; readonly end: () => void }>();
  readonly #reviving = new Set<Promise<void>>();
  #isStopping = false;

  constructor(options: SupervisionOptions) {
    this.#options = options;
  }

  /** What a process does now. */
  stateOf(name: string): ProcessState {
    return this.#states.get(name) ?? "starting";
  }

  /** Starts all nodes, the first one before the others; resolves when each is ready. @throws PROGRAM_ENDED, TIMED_OUT for the first that fails */
  async start(): Promise<void> {
    const { nats, pg, nodes, events } = this.#options.cluster.parts;
    if (pg !== undefined) this.#tell("postgres", "ready", "is ready", pg.pid);
    events.on("database.exited", ({ reason }) => this.#tell("postgres", "dead", `died (${reason}); it starts again at once`));
    if (nats !== undefined) {
      this.#tell("nats", "ready", "is ready", nats.program.pid);
      this.#keep({
        name: "nats",
        get program() {
          return nats.program;
        },
        start: () => nats.start(),
      });
    }
    const [first, ...others] = nodes;
    if (first !== undefined) await this.#begin(first);
    await Promise.all(others.map((node) => this.#begin(node)));
  }

  /** Stops everything: node after node, each of which hands its shards over, then the servers. Once `hurried` is aborted, no node waits any more. */
  async stop(hurried: AbortSignal): Promise<void> {
    this.#isStopping = true;
    for (const { cancel, end } of this.#pauses) {
      cancel();
      end();
    }
    const asked = new Set<LocalNode>();
    const { nodes } = this.#options.cluster;
    const { promise: hurry, resolve } = Promise.withResolvers<void>();
    hurried.addEventListener("abort", () => resolve(), { once: true });
    for (const node of nodes) {
      if (hurried.aborted) break;
      asked.add(node);
      await Promise.race([this.#end(node), hurry]);
    }
    if (hurried.aborted) await this.#hurry(asked);
    await Promise.all(this.#reviving);
    await this.#options.cluster[Symbol.asyncDispose]();
    for (const name of ["nats", "postgres"]) if (this.#states.has(name)) this.#tell(name, "stopped", "has stopped");
  }

  /** Those that were asked are asked a second time; the others twice. */
  async #hurry(asked: ReadonlySet<LocalNode>): Promise<void> {
    const { nodes } = this.#options.cluster;
    for (const node of nodes) node.signal("SIGTERM");
    await this.#pause(SECOND_REQUEST_MS);
    for (const node of nodes) if (!asked.has(node)) node.signal("SIGTERM");
    await Promise.all(nodes.map((node) => node.program?.exited));
    for (const node of nodes) if (this.stateOf(node.name) !== "stopped") this.#tell(node.name, "stopped", "has stopped");
  }

  async #begin(node: LocalNode): Promise<void> {
    this.#tell(node.name, "starting", "starts");
    const durationMs = await node.start();
    this.#tellReady(node, durationMs);
    this.#keep(node);
  }

  async #end(node: LocalNode): Promise<void> {
    if (node.program === undefined || node.program.ending !== undefined) return;
    this.#tell(node.name, "stopping", "hands its shards over and stops");
    const ending = await node.stop();
    this.#tell(node.name, "stopped", ending?.code === 0 ? "has stopped" : `has stopped (${ending?.how})`);
  }

  /** Starts a process again whenever it has died, until everything stops. */
  #keep(member: Supervised, failures = 0): void {
    const { clock } = this.#options;
    const startedAtMs = clock.monotonic();
    void member.program?.exited.then(async ({ how }) => {
      if (this.#isStopping) return;
      const deaths = clock.monotonic() - startedAtMs < FORGIVEN_AFTER_MS ? failures + 1 : 1;
      const pauseMs = Math.min(PAUSE_MIN_MS * 2 ** (deaths - 1), PAUSE_MAX_MS);
      this.#tell(member.name, "dead", `died (${how}); it starts again in ${describeDuration(pauseMs)}`);
      await this.#pause(pauseMs);
      if (this.#isStopping) return;
      const reviving = this.#revive(member).finally(() => this.#reviving.delete(reviving));
      this.#reviving.add(reviving);
      await reviving;
      this.#keep(member, deaths);
    });
  }

  /** Never rejects. */
  async #revive(member: Supervised): Promise<void> {
    this.#tell(member.name, "starting", "starts again");
    const startedAtMs = this.#options.clock.monotonic();
    try {
      await member.start();
      if (!this.#isStopping) this.#tellReady(member, this.#options.clock.monotonic() - startedAtMs);
    } catch (error) {
      if (!this.#isStopping) this.#tell(member.name, "dead", messageOf(error));
    }
  }

  /** A pause that the stop cuts short. */
  #pause(durationMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const entry = { cancel: this.#options.clock.schedule(durationMs, resolve), end: resolve };
    this.#pauses.add(entry);
    return promise.finally(() => this.#pauses.delete(entry));
  }

  #tellReady({ name, program, address }: Supervised, durationMs: number): void {
    const where = address === undefined ? "" : ` on ${address}`;
    this.#tell(name, "ready", `is ready${where} after ${describeDuration(durationMs)}`, program?.pid);
  }

  #tell(name: string, state: ProcessState, text: string, pid?: number): void {
    this.#states.set(name, state);
    this.#options.report(pid === undefined ? { name, state, text } : { name, state, text: `${text}, process ${pid}`, pid });
  }
}
