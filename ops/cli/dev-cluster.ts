/**
 * `maestro dev --nodes N`: a cluster on this machine that people can look at, kill parts of, and restart: one that dies comes back by itself.
 */
import { relative, resolve } from "node:path";
import { pause } from "../../runtime/storage/pause.ts";
import type { Config } from "../config.ts";
import { type LocalCluster, openLocalCluster } from "../local-cluster/local-cluster.ts";
import { type ProcessNews, Supervision } from "../local-cluster/supervision.ts";
import { AnyNode } from "./any-node.ts";
import type { CliContext } from "./cli-context.ts";
import { type ClusterScreen, type ShownNode, screenLines } from "./cluster-screen.ts";
import { ClusterWatch, type NodeReading } from "./cluster-watch.ts";
import { commandHint } from "./command-hint.ts";
import { LiveFrame } from "./live-frame.ts";
import { Output } from "./output.ts";
import { WorkflowFolder } from "./workflow-folder.ts";

/** Time between two looks; rates are over it. */
const LOOK_EVERY_MS = 1_000;
/** What happened before that is forgotten. */
const NEWS_KEPT = 200;

/** What is asked for. */
export interface DevClusterRequest {
  /** Settings of all nodes; those of the first one where they have to differ. */
  readonly config: Config;
  readonly size: number;
  /** Folder whose workflows are deployed. */
  readonly root: string;
}

/** Runs the cluster until the command is interrupted. @throws what keeps it from starting, after everything was stopped again */
export async function runDevCluster(context: CliContext, request: DevClusterRequest): Promise<void> {
  const { clock, random, env, output } = context;
  const hurried = context.hurried();
  const onInstall = (): void => output.note("nats-server is missing: Debian's package is being installed");
  const cluster = await openLocalCluster({ config: request.config, size: request.size, clock, random, env, onInstall });
  const show = new DevCluster(context, request, cluster);
  const supervision = new Supervision({ cluster, clock, report: (news) => show.tell(news) });
  const looking = show.keepLooking(supervision);
  try {
    await Promise.race([supervision.start(), show.interrupted]);
    if (!context.interrupted.aborted) await show.develop();
  } catch (error) {
    // A node that was asked to stop while it started says so by ending.
    if (!context.interrupted.aborted) throw error;
  } finally {
    await supervision.stop(hurried);
    show.end();
    await looking;
  }
}

/** The part of it that people see. */
class DevCluster {
  /** Resolves when the command is interrupted. */
  readonly interrupted: Promise<void>;
  readonly #context: CliContext;
  readonly #request: DevClusterRequest;
  readonly #cluster: LocalCluster;
  readonly #isLive: boolean;
  readonly #anyNode: AnyNode;
  readonly #news: string[] = [];
  #readings: readonly NodeReading[] = [];
  #isOver = false;

  constructor(context: CliContext, request: DevClusterRequest, cluster: LocalCluster) {
    const { output, interrupted } = context;
    this.#context = context;
    this.#request = request;
    this.#cluster = cluster;
    this.#isLive = output.terminal.isLive && !output.isJson;
    this.#anyNode = new AnyNode(cluster.nodes, (address) => context.connect(address));
    this.interrupted = new Promise((settle) => {
      if (interrupted.aborted) settle();
      else interrupted.addEventListener("abort", () => settle(), { once: true });
    });
  }

  /** Something happened to a process. */
  tell(news: ProcessNews): void {
    const line = `${news.name} ${news.text}`;
    const at = new Date(this.#context.clock.now()).toISOString();
    if (this.#isLive) this.#note(line);
    else this.#context.output.answer({ at, ...news }, () => line);
  }

  /** Deploys the folder, and again what changes, until the command is interrupted. */
  async develop(): Promise<void> {
    const { clock } = this.#context;
    const folder = new WorkflowFolder({ folder: this.#request.root, gateway: this.#anyNode, output: this.#notes(), clock });
    await folder.deployAll();
    const unfollow = folder.follow();
    if (!this.#isLive) this.#context.output.note(this.#hint());
    await this.interrupted;
    await unfollow();
  }

  /** Draws the screen again and again, where there is one, until the end. */
  async keepLooking(supervision: Supervision): Promise<void> {
    if (!this.#isLive) return;
    const { output, clock, connect } = this.#context;
    using watch = new ClusterWatch({ gateway: this.#anyNode, now: () => clock.monotonic(), connect });
    const frame = new LiveFrame(output.terminal);
    while (!this.#isOver) {
      this.#readings = await watch.read().catch(() => []);
      frame.draw(screenLines(this.#screen(supervision), output.terminal));
      await pause(LOOK_EVERY_MS, clock);
    }
    frame.draw(screenLines(this.#screen(supervision), output.terminal));
  }

  /** Everything has stopped. */
  end(): void {
    this.#isOver = true;
    this.#anyNode[Symbol.dispose]();
  }

  #screen(supervision: Supervision): ClusterScreen {
    const nodes = this.#cluster.nodes.map(({ name, address, program }): ShownNode => {
      const reading = this.#readings.findLast(({ node }) => node.name === name);
      return { name, address, pid: program?.pid, state: supervision.stateOf(name), reading };
    });
    const { config } = this.#request;
    const title = `maestro: ${nodes.length} nodes on this machine, data and logs in ${relative(this.#context.cwd, resolve(config.dataFolder)) || "."}`;
    return { title, nodes, news: this.#news, hint: this.#hint() };
  }

  #hint(): string {
    const [first] = this.#cluster.nodes;
    const list = commandHint(this.#context.env, "runs list", first?.address ?? "");
    return `Try: ${list}    kill -9 PID    Ctrl-C stops.`;
  }

  /** Where the folder says what it deploys: beside the frame there is no place for it. */
  #notes(): Output {
    const { output } = this.#context;
    if (!this.#isLive) return output;
    const { terminal } = output;
    const write = (text: string): void => {
      for (const line of text.trimEnd().split("\n")) this.#note(line);
    };
    return new Output(terminal, { isLive: false, columns: Number.POSITIVE_INFINITY, rows: terminal.rows, write, paint: (_tone, text) => text });
  }

  #note(text: string): void {
    const time = new Date(this.#context.clock.now()).toTimeString().slice(0, 8);
    this.#news.push(`${time}  ${text}`);
    this.#news.splice(0, this.#news.length - NEWS_KEPT);
  }
}
