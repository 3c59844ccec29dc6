/**
 * The way of clients to the nodes: a call takes its time, its answer may get lost with the node, and nobody waits for ever.
 */
import type { Runs } from "../../actors/runs.ts";
import { MaestroError, messageOf } from "../../runtime/errors.ts";
import type { Random } from "../../runtime/random.ts";
import { between, pick } from "./faults.ts";
import type { Plant } from "./plant.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { Trace } from "./trace.ts";
import type { WorldTime } from "./world-time.ts";

const WAY_MS = [0.1, 3] as const;

/** What it needs. */
export interface GatewayOptions {
  readonly time: WorldTime;
  readonly random: Random;
  readonly trace: Trace;
  /** The boots that clients know of now, dead ones among them. */
  nodes(): readonly SimulatedNode[];
  /** A defect on the way. */
  readonly plant: Plant;
}

/** A call of a client. */
export interface ClientCall<T> {
  readonly client: string;
  readonly what: string;
  readonly timeoutMs: number;
  ask(runs: Runs, signal: AbortSignal): Promise<T>;
}

/** See the file header. */
export class Gateway {
  readonly #options: GatewayOptions;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  /** Calls any node. @throws NODE_UNREACHABLE, TIMED_OUT: nobody knows; else what the node answers */
  call<T>(call: ClientCall<T>): Promise<T> {
    const { time, random, trace, nodes } = this.#options;
    const { client, what, timeoutMs } = call;
    const node = pick(random, nodes());
    const { process } = node;
    trace.note(client, `asks ${process.name}: ${what}`);
    return new Promise((resolve, reject) => {
      const over = new AbortController();
      let isOver = false;
      const end = (word: string, settle: () => void): void => {
        if (isOver) return;
        isOver = true;
        cancel();
        trace.note(client, `${what}: ${word}`);
        settle();
      };
      const fail = (error: unknown): void => end(messageOf(error), () => reject(error instanceof Error ? error : new Error(String(error))));
      const cancel = time.schedule(timeoutMs, () => {
        fail(new MaestroError("TIMED_OUT", { facts: { what, timeoutMs } }));
        process.enter(() => over.abort());
      });
      process.onDeath(() => time.schedule(this.#wayMs(), () => fail(unreachable(process.name))));
      time.schedule(this.#wayMs(), () =>
        process.enter(() => {
          if (!node.isServing) return fail(unreachable(process.name));
          node.calls += 1;
          const back = (settle: () => void): void => process.leave(() => void time.schedule(this.#wayMs(), settle));
          const { runs } = node;
          call
            .ask(this.#options.plant.runs?.(runs) ?? runs, over.signal)
            .finally(() => {
              node.calls -= 1;
            })
            .then(
              (value) => back(() => end("answered", () => resolve(value))),
              (error: unknown) => back(() => fail(error)),
            );
        }),
      );
    });
  }

  #wayMs(): number {
    return between(this.#options.random, ...WAY_MS);
  }
}

function unreachable(address: string): MaestroError {
  return new MaestroError("NODE_UNREACHABLE", { facts: { address, reason: "the connection is gone" } });
}
