/**
 * Finds a NATS server that speaks before the client library is let near it. The library gives up on a server that accepts a connection and then says
 * nothing (a stopped process does), but it forgets the socket, which keeps the process alive. This one is closed whatever happens.
 */
import { connect } from "node:net";
import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { addressOf, type NatsServer } from "./nats-server-url.ts";

/**
 * Resolves with the first server, in the order given, that sends its greeting within `timeoutMs`.
 *
 * @throws Error that says of each server why not.
 */
export async function firstThatGreets(servers: readonly NatsServer[], timeoutMs: number, clock: Clock): Promise<NatsServer> {
  const reasons: string[] = [];
  for (const server of servers) {
    try {
      await greeting(server, timeoutMs, clock);
      return server;
    } catch (error) {
      reasons.push(`${addressOf(server)}: ${messageOf(error)}`);
    }
  }
  throw new Error(reasons.join("; "));
}

function greeting({ host, port }: NatsServer, timeoutMs: number, clock: Clock): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port });
    const cancel = clock.schedule(timeoutMs, () => socket.destroy(new Error(`no greeting within ${timeoutMs} ms`)));
    socket.once("data", () => {
      resolve();
      socket.destroy();
    });
    socket.once("error", reject);
    socket.once("close", () => {
      cancel();
      reject(new Error("the connection was closed"));
    });
  });
}
