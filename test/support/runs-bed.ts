/** A node of runs for a whole suite: a new store and a new node for each test, tasks that answer at once, and one that waits until it is let go. */
import type { Json } from "../../actors/json.ts";
import { type RunsNode, Store, startRunsNode, Tasks } from "./runs-node.ts";

/** What a test has. */
export interface RunsBed {
  store: Store;
  tasks: Tasks;
  node: RunsNode;
  /** Lets every `refund` end. */
  release: () => void;
}

/** Never aborted. */
export const FOREVER = new AbortController().signal;
/** Two calls. */
export const CALLS = "do: [{ one: { call: charge@default } }, { two: { call: ship@default } }]";
/** A wait for the signal `go`. */
export const SIGNAL = "do: [{ ask: { call: signal@default, with: { name: go } } }]";
/** A call that ends when it is let go. */
export const SLOW = "do: [{ slow: { call: refund@default } }]";

/** Sets the bed up before each test of the suite and takes it down afterwards. */
export function runsBed(): RunsBed {
  const bed = {} as RunsBed;
  beforeEach(async () => {
    bed.store = new Store();
    const gate = new Promise<void>((resolve) => {
      bed.release = resolve;
    });
    bed.tasks = new Tasks({
      charge: (input) => input,
      ship: (input): Json => ({ shipped: input }),
      refund: async () => {
        await gate;
        return "refunded";
      },
    });
    bed.node = await startRunsNode(bed.store, bed.tasks);
  });
  afterEach(async () => {
    bed.release();
    await bed.node.stop();
  });
  return bed;
}

/** True for errors of the registry with that code. */
export function code(expected: string): (error: unknown) => boolean {
  return (error) => (error as { readonly code?: string }).code === expected;
}
