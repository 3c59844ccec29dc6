/**
 * One node of the cluster, and what whoever runs it in earnest does: it is started again when it ended by itself because another boot had taken over. Any
 * other end that nobody asked for is a finding. Owns the processes of the node, one after the other.
 */
import { systemClock } from "../../../runtime/clock.ts";
import { pause } from "../../../runtime/storage/pause.ts";
import type { MaestroProcess } from "../../support/maestro-process.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { ChaosNode, type ChaosNodeOptions } from "../chaos-node.ts";

/** What `maestro start` ends with when another boot took over. */
const EXIT_FENCED = 5;
const LOOK_MS = 20;
const RETRY_MS = 500;
const CLOCK = systemClock();

/** A boot as the store names it. */
export interface NamedBoot {
  readonly pid: number;
  readonly boot: string;
}

/** The node. */
export class Member {
  readonly name: string;
  readonly node: ChaosNode;
  /** Addresses of its gateway, one for each boot. */
  readonly addresses = new Set<string>();
  /** What it did that it must not. */
  readonly findings: string[] = [];
  readonly named: NamedBoot[] = [];
  readonly #over: MaestroProcess[] = [];
  /** How often it ended because it was fenced. */
  fencings = 0;
  /** True while somebody else decides about its process. */
  #isHeld = true;
  #isClosed = false;
  /** Why it could not be started the last time. */
  #failure: unknown;
  #watch: Promise<void> = Promise.resolve();

  constructor(name: string, options: ChaosNodeOptions) {
    this.name = name;
    this.node = new ChaosNode({ ...options, nodeName: name });
  }

  /** What all of its processes logged. */
  get log(): string {
    return [...this.#over, this.node.process].map(({ stdout, stderr }) => `${stdout}${stderr}`).join("");
  }

  /** True while clients may well ask it. */
  get isUp(): boolean {
    return !this.#isHeld && !this.node.process.isOver;
  }

  /** Starts it, and from then on again whenever it is fenced. */
  async open(): Promise<void> {
    await this.#start();
    this.#watch = this.#supervise();
  }

  /** Kills it; it stays down until {@link revive}. */
  async kill(): Promise<void> {
    this.#isHeld = true;
    this.#noteBoot();
    await this.node.kill();
  }

  /** Starts it after {@link kill}. */
  revive(): Promise<void> {
    return this.#start();
  }

  /** Waits until it says that it is ready, whichever boot of it. */
  ready(timeoutMs = 120_000): Promise<true> {
    const isReady = async (): Promise<boolean> => {
      if (!this.isUp) throw new Error(`${this.name} is down`, { cause: this.#failure });
      return this.node.isReady();
    };
    return waitUntil(`${this.name} to be ready`, isReady, timeoutMs);
  }

  /** Stops it in order, for good. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#watch;
    this.#noteBoot();
    if (!this.node.process.isOver) await this.node.stop();
  }

  async #start(): Promise<void> {
    if (this.addresses.size > 0) this.#over.push(this.node.process);
    await this.node.start();
    this.addresses.add(await this.node.address());
    this.#noteBoot();
    this.#isHeld = false;
  }

  async #succeeds(): Promise<boolean> {
    try {
      await this.#start();
      return true;
    } catch (error) {
      this.#failure = error;
      return false;
    }
  }

  /** Each line of its log names the boot. */
  #noteBoot(): void {
    const { pid = 0, stdout } = this.node.process;
    const boot = /"boot":"([^"]+)"/.exec(stdout)?.[1];
    if (boot !== undefined && !this.named.some((known) => known.boot === boot)) this.named.push({ pid, boot });
  }

  async #supervise(): Promise<void> {
    while (!this.#isClosed) {
      if (!this.#isHeld && this.node.process.isOver) await this.#restart();
      await pause(LOOK_MS, CLOCK);
    }
  }

  async #restart(): Promise<void> {
    this.#isHeld = true;
    const { code, signal, stdout, stderr } = await this.node.process.ended();
    this.node.cut();
    this.fencings += code === EXIT_FENCED ? 1 : 0;
    if (code !== EXIT_FENCED) this.findings.push(`${this.name} ended by itself with ${signal ?? code}: ${stdout.slice(-600)} ${stderr.slice(-600)}`);
    // A start may fail while a server is away: whoever runs a node in earnest tries again. One that never succeeds is found by those who wait for it.
    while (!this.#isClosed && !(await this.#succeeds())) await pause(RETRY_MS, CLOCK);
  }
}
