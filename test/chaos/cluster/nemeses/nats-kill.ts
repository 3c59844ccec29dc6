/** NATS is killed and started again, with or without what it had stored. */
import type { Nemesis, Scope } from "../nemesis.ts";

/** Nodes look for a lost server at growing intervals; then what they wanted of each other is asked again. */
const RECOVERY_MS = 3_000;

/** With its store. */
export const natsKill: Nemesis = { name: "nats", breaks: "nats", strike: (scope) => strike(scope, false) };

/** All that it had stored is lost. */
export const natsWipe: Nemesis = { name: "nats-wipe", breaks: "nats", strike: (scope) => strike(scope, true) };

async function strike({ town, span }: Scope, isWiped: boolean): Promise<void> {
  const lost = isWiped ? await town.told.beforeWipe() : undefined;
  const close = town.windows.open(isWiped ? "nats-wipe" : "nats", undefined);
  await town.nats.kill();
  lost?.();
  await town.pause(span(500, 8_000));
  await town.nats.restart(isWiped);
  await town.ready();
  await town.pause(RECOVERY_MS);
  close();
}
