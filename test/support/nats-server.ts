/**
 * Real NATS servers for tests, those of `ops/local-cluster`: installed if the program is missing and this may be done. Each server has a temporary
 * folder and a free port of its own that it keeps over restarts.
 */
import { type NatsServer, type NatsServerOptions, startNatsServer as start } from "../../ops/local-cluster/nats-server.ts";
import { systemClock } from "../../runtime/clock.ts";

export type { NatsServer };

/** Starts a server; resolves when it greets. Allow half a minute for the first call on a machine without the package. */
export function startNatsServer(options: Omit<NatsServerOptions, "clock"> = {}): Promise<NatsServer> {
  return start({ clock: systemClock(), onInstall: () => undefined, ...options });
}
