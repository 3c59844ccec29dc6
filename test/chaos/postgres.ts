/**
 * PostgreSQL is stopped at once, without a checkpoint, and started again, with a thousand runs under way: the node must say that it is not ready, go on by
 * itself, and lose nothing. Once with a server of somebody else's that stays away for a while, once with the node's own, which the node starts again.
 */
import { join } from "node:path";
import { waitUntil } from "../support/wait-until.ts";
import { ChaosNode, postmasterOf } from "./chaos-node.ts";
import { Load } from "./load.ts";
import { PgServer } from "./pg-server.ts";
import { type Scenario, type ScenarioOptions, type ScenarioResult, settleAndAudit, withFolder } from "./scenario.ts";

const ROUNDS = 20;
const WIDTH = 1_000;
const ORDERS_PER_ROUND = 1_000;
/** Longest time for which a server stays away, in milliseconds. */
const AWAY_MS = 3_000;

/** With a server of somebody else's. */
export const postgres: Scenario = (options) =>
  withFolder(async (folder) => {
    const server = await PgServer.open(join(folder, "server"));
    await server.start();
    // A short lease: the node looks often, and so notices soon.
    const node = new ChaosNode({ folder, pgUrl: server.url, args: ["--lease-ms", "1500"] });
    try {
      return await rounds(options, node, folder, {
        stop: () => server.stop("immediate"),
        start: async () => {
          await node.pause(options.random.fraction() * AWAY_MS);
          await server.start();
        },
      });
    } finally {
      node.process.kill("SIGKILL");
      await server.stop("immediate");
    }
  });

/** With the node's own server. */
export const postgresEmbedded: Scenario = (options) =>
  withFolder((folder) => {
    const node = new ChaosNode({ folder });
    const server: Server = {
      stop: async () => void process.kill(postmasterOf(join(folder, "data")), "SIGQUIT"),
      start: async () => undefined,
    };
    return rounds(options, node, folder, server).finally(() => node.destroy());
  });

interface Server {
  stop(): Promise<void>;
  start(): Promise<void>;
}

async function rounds(options: ScenarioOptions, node: ChaosNode, folder: string, server: Server): Promise<ScenarioResult> {
  const { random, say, rounds: count = ROUNDS } = options;
  const load = new Load({ target: node, random, name: "p", width: WIDTH, orders: 0 });
  await node.start();
  await load.deploy();
  load.start();
  const underWay: number[] = [];
  for (let round = 1; round <= count; round += 1) {
    load.allow(WIDTH + ORDERS_PER_ROUND);
    await load.settled(random.uint32() % ORDERS_PER_ROUND);
    underWay.push(load.underWay);
    await server.stop();
    await waitUntil("the node to say that it is not ready", async () => !(await node.isReady()), 30_000);
    await server.start();
    await waitUntil("the node to say that it is ready again", () => node.isReady(), 60_000);
    say(`round ${round}: ${underWay.at(-1)} orders under way, ${load.ended} settled`);
  }
  const summary = [
    `${count} stops with ${Math.min(...underWay)} to ${Math.max(...underWay)} orders under way; each time /readyz said 503 and the gateway NOT_SERVING, then 200 and SERVING`,
  ];
  const result = await settleAndAudit(node, folder, load, summary);
  await node.stop();
  return result;
}
