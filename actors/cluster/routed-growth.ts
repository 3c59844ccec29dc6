/**
 * Tells a watcher that a run's history has grown, wherever the run lives: by the hub of this node while it is here, by asking its owner while it is there. A
 * slow look now and then finds what neither told.
 */
import type { Clock } from "../../runtime/clock.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { GrowthListener } from "../run/run-hub.ts";
import type { ShardGate } from "../run/shard-gate.ts";
import type { ClusterMap } from "./cluster-map.ts";
import type { MapChanges } from "./map-changes.ts";
import type { OwnerCalls } from "./owner-calls.ts";

/** How often the journal is looked at although nobody said anything, in milliseconds. */
const SLOW_LOOK_MS = 5_000;
/** How long an owner is asked to wait before it answers that there is nothing yet, in milliseconds. */
export const LONGEST_WAIT_MS = 20_000;

/** What it needs. */
export interface RoutedGrowthOptions {
  readonly clock: Clock;
  readonly gate: ShardGate;
  readonly map: ClusterMap;
  readonly calls: OwnerCalls;
  readonly changes: MapChanges;
  /** See `RunHub.onGrowth`. */
  onLocalGrowth(runId: RunId, listener: GrowthListener): () => void;
}

/** Follows one run until it is stopped. `seenSeq` answers how far the watcher has read. */
export function followGrowth(options: RoutedGrowthOptions, runId: RunId, listener: GrowthListener, seenSeq: () => number): () => void {
  const over = new AbortController();
  const unregister = options.onLocalGrowth(runId, listener);
  const look = (): void => {
    listener();
    cancelLook = options.clock.schedule(SLOW_LOOK_MS, look);
  };
  let cancelLook = options.clock.schedule(SLOW_LOOK_MS, look);
  void askOwners(options, runId, listener, seenSeq, over.signal);
  return () => {
    over.abort();
    cancelLook();
    unregister();
  };
}

/** Asks whoever owns the run, again and again; while that is this node it only waits. Never rejects. */
async function askOwners(
  options: RoutedGrowthOptions,
  runId: RunId,
  listener: GrowthListener,
  seenSeq: () => number,
  signal: AbortSignal,
): Promise<void> {
  const { gate, map, calls, changes } = options;
  for (let attempt = 0; !signal.aborted; ) {
    const { version } = map.view;
    if (gate.serves(runId)) {
      await changes.waitFor(version, SLOW_LOOK_MS, signal);
      continue;
    }
    const lastSeq = seenSeq();
    const call = { $case: "awaitGrowth", value: { lastSeq } } as const;
    // Growth is a hint: whatever goes wrong with asking for it, a watcher reads the journal itself, and the owner of that moment is asked again, less
    // and less often.
    const reply = await calls.ask(runId, call, { timeoutMs: LONGEST_WAIT_MS, signal }).catch(() => undefined);
    const answer = reply?.kind === "answer" ? reply.answer.$case : undefined;
    if (answer === "grown") listener();
    if (answer !== "notYet") await changes.wait(version, attempt, signal);
    // A watcher that has not read on would be told the same again: it is asked for less and less often.
    attempt = answer === "notYet" || seenSeq() > lastSeq ? 0 : attempt + 1;
  }
}
