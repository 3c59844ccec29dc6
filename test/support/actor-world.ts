/**
 * An actor system on a virtual clock and a manual scheduler: nothing happens until the test lets it.
 */
import { type VirtualClock, virtualClock } from "../../runtime/clock.ts";
import { EventHub, type EventName, type RuntimeEvents } from "../../runtime/events.ts";
import { type ManualScheduler, manualScheduler } from "../../runtime/kernel/scheduler.ts";
import { ActorSystem, type ActorSystemOptions } from "../../runtime/kernel/system.ts";
import { seededRandom } from "../../runtime/random.ts";

/** Rounds of promise callbacks that {@link ActorWorld.settle} lets pass: more than any chain of promises in a test is long. */
const ROUNDS = 40;

/** A system with everything that drives it. */
export interface ActorWorld {
  readonly system: ActorSystem;
  readonly clock: VirtualClock;
  readonly scheduler: ManualScheduler;
  /** Runs all turns and promise callbacks, and what they lead to, at the present time. */
  settle(): Promise<void>;
  /** Moves time on and settles. */
  advance(durationMs: number): Promise<void>;
  /** Events of one name so far. */
  events<N extends EventName>(name: N): readonly RuntimeEvents[N][];
}

/** A world of its own. */
export function actorWorld(options: Pick<ActorSystemOptions, "supervision" | "onEscalated"> = {}): ActorWorld {
  const clock = virtualClock();
  const scheduler = manualScheduler();
  const hub = new EventHub();
  const seen: { name: EventName; event: unknown }[] = [];
  for (const name of ["actor.failed", "actor.quarantined", "actor.deadlock", "message.dead", "limit.near"] as const)
    hub.on(name, (event) => seen.push({ name, event }));
  const system = new ActorSystem({ name: "test", clock, random: seededRandom(1), events: hub, scheduler, ...options });
  const settle = async (): Promise<void> => {
    for (let round = 0; round < ROUNDS; round++) {
      scheduler.runAll();
      await undefined;
    }
  };
  return {
    system,
    clock,
    scheduler,
    settle,
    async advance(durationMs) {
      clock.advance(durationMs);
      await settle();
    },
    events: <N extends EventName>(name: N) => seen.filter((entry) => entry.name === name).map((entry) => entry.event as RuntimeEvents[N]),
  };
}
