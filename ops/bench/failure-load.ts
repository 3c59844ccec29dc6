/**
 * The load under which a node of three is made to fail, round after round, each time another one: runs of W1 in a closed loop, and runs that outlast
 * the failure. Says what its clients lost.
 */
import type { LocalNode } from "../local-cluster/local-node.ts";
import type { BenchSetting, Round } from "./benchmark.ts";
import type { ClusterBed } from "./cluster-bed.ts";
import { ParkedLoad, type ParkedReport } from "./parked-load.ts";
import { TargetLoad } from "./target.ts";

const IN_FLIGHT = 60;
/** For clients to have what they asked for before the end. */
const GRACE_MS = 30_000;

/** What its clients saw, of both kinds of runs. */
export interface FailureReport extends ParkedReport {
  /** Attempts of clients that failed and were made again. */
  readonly repeated: number;
}

/** How nodes are made to fail. */
export interface Failures {
  /** For people, as "failover". */
  readonly name: string;
  /** What becomes of the node, for people, as "is killed". */
  readonly fate: string;
  readonly rounds: number;
  /** How many of each kind of the runs that outlast the failure. */
  readonly parked: number;
  /** One round: has the node fail under the load, which has begun, and waits for the load's end. */
  round(load: FailureLoad, node: LocalNode): Promise<Round>;
}

/** Does all rounds on a bed of three nodes; one alone if the benchmark is to be quick. */
export async function failInTurn(setting: BenchSetting, bed: ClusterBed, { name, fate, rounds, parked, round }: Failures): Promise<readonly Round[]> {
  await ParkedLoad.deploy(bed.client);
  const done: Round[] = [];
  for (let number = 1; number <= (setting.scale < 1 ? 1 : rounds); number++) {
    setting.signal.throwIfAborted();
    const node = bed.node((number - 1) % 3);
    setting.progress(`${name}, round ${number}: ${node.name} ${fate}`);
    using load = new FailureLoad(setting, bed);
    await load.begin(parked);
    done.push(await round(load, node));
  }
  return done;
}

/** The load of one round. */
export class FailureLoad implements Disposable {
  readonly #setting: BenchSetting;
  readonly #bed: ClusterBed;
  readonly #load: TargetLoad;
  readonly #parked: ParkedLoad;
  readonly #over = new AbortController();
  #loading: Promise<void> = Promise.resolve();

  constructor(setting: BenchSetting, bed: ClusterBed) {
    const { clock, random } = setting;
    this.#setting = setting;
    this.#bed = bed;
    this.#load = new TargetLoad({ addresses: bed.addresses, clock, random, inFlight: IN_FLIGHT, graceMs: GRACE_MS });
    this.#parked = new ParkedLoad(bed.client);
  }

  /** Starts so many of each kind of the runs that outlast the failure, and begins with the others. */
  async begin(parked: number): Promise<void> {
    await this.#load.deploy();
    await this.#parked.start(parked);
    this.#loading = this.#load.run(this.#over.signal);
  }

  /** Begins no more runs; resolves when those in the loop have ended. */
  async end(): Promise<void> {
    this.#over.abort();
    await this.#loading;
  }

  /** Waits until all has come to its end, and the cluster to rest; all its nodes are there by now. */
  async report(): Promise<FailureReport> {
    const { acknowledged, lost, twice } = await this.#parked.finish();
    await this.#bed.balanced();
    const { completed, failed, repeated } = this.#load.log.report(this.#setting.clock.monotonic());
    return { acknowledged: acknowledged + completed, lost: lost + failed, twice, repeated };
  }

  [Symbol.dispose](): void {
    this.#over.abort();
    this.#load.close();
  }
}
