/**
 * A load of short runs for the tests of events: some wait, some fail, some have branches. Calls that fail because the node is down are made again.
 */
import { connectGateway } from "../../ops/cli/gateway-connection.ts";
import type { Gateway } from "../../ops/cli/gateway-port.ts";
import { systemClock } from "../../runtime/clock.ts";
import { pause } from "../../runtime/storage/pause.ts";

const header = (name: string): string => `document: { dsl: "1.0.3", namespace: load, name: ${name}, version: "1.0.0" }\n`;

const DOCUMENTS: readonly string[] = [
  `${header("waits")}do: [{ a: { wait: { milliseconds: 20 } } }, { b: { wait: { milliseconds: 20 } } }, { c: { set: { done: true } } }]\n`,
  `${header("fails")}do: [{ a: { set: { n: 1 } } }, { b: { raise: { error: { type: "https://example.com/no", status: 400, title: "No" } } } }]\n`,
  `${header("forks")}do: [{ f: { fork: { branches: [{ a: { wait: { milliseconds: 5 } } }, { b: { set: { n: 2 } } }, { c: { wait: { milliseconds: 9 } } }] } } }]\n`,
];
const NAMES = ["waits", "fails", "forks"];

/** Deploys the documents. */
export async function deployLoad(gateway: Gateway): Promise<void> {
  for (const document of DOCUMENTS) await gateway.deploy(document, false);
}

/** Starts runs one after the other, by several hands, until it is stopped. */
export class EventLoad {
  started = 0;
  #isStopped = false;
  readonly #hands: Promise<void>;
  #gateway: Gateway | undefined;

  /** `hands`: starts under way at a time. */
  constructor(hands: number) {
    this.#hands = Promise.all(Array.from({ length: hands }, () => this.#work())).then(() => undefined);
  }

  /** From now on the node is there. */
  use(address: string): void {
    this.#gateway?.close();
    this.#gateway = connectGateway(address);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#hands;
    this.#gateway?.close();
  }

  async #work(): Promise<void> {
    while (!this.#isStopped) {
      const name = NAMES[this.started % NAMES.length] as string;
      try {
        if (this.#gateway === undefined) throw new Error("there is no node yet");
        await this.#gateway.start({ namespace: "load", name, version: "", input: "{}", labels: {}, idempotencyKey: "" });
        this.started += 1;
      } catch {
        // The node is down: the load goes on when it is back.
        await pause(20, systemClock());
      }
    }
  }
}
