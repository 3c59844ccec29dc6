/**
 * A parent with three children that write their lives into a log.
 */
import type { ActorFactory } from "../../runtime/kernel/actor.ts";
import type { ActorContext } from "../../runtime/kernel/context.ts";
import type { ActorRef } from "../../runtime/kernel/reference.ts";
import { type SupervisionPolicy, supervisionPolicy } from "../../runtime/kernel/supervision.ts";
import { actorWorld } from "./actor-world.ts";

/** No wait before a restart. */
export const AT_ONCE = { initialMs: 0, maxMs: 0, factor: 1, jitter: 0 };

/** Writes its life into `log`; throws the message if that is an Error. */
export function logging(log: string[], throwOnSignal?: string): ActorFactory<unknown> {
  return (context) => {
    log.push(`${context.name} made`);
    return {
      receive(message) {
        if (message instanceof Error) throw message;
        log.push(`${context.name} got ${String(message)}`);
      },
      signal(signal) {
        log.push(`${context.name} ${signal.kind}`);
        if (signal.kind === throwOnSignal) throw new Error(`thrown on ${signal.kind}`);
      },
    };
  };
}

/** A world with a parent that has children a, b and c under `policy`. */
export async function family(policy: Partial<SupervisionPolicy>, log: string[]) {
  const world = actorWorld();
  let parent: ActorContext<unknown> | undefined;
  const ref = world.system.spawn<unknown>(
    "parent",
    (context) => {
      parent = context;
      for (const name of ["a", "b", "c"]) context.spawn(name, logging(log));
      return {
        receive(message) {
          if (message instanceof Error) throw message;
        },
      };
    },
    { supervision: supervisionPolicy({ backoff: AT_ONCE, ...policy }) },
  );
  await world.settle();
  log.length = 0;
  const child = (name: string): ActorRef<unknown> => parent?.child(name) as ActorRef<unknown>;
  return { world, ref, child, context: parent as ActorContext<unknown> };
}
