/**
 * The node is killed without warning at random moments under load, also while it starts, and sometimes together with its PostgreSQL; then it is started
 * on the same data.
 */

import { join } from "node:path";
import { systemClock } from "../../runtime/clock.ts";
import type { Random } from "../../runtime/random.ts";
import { ChaosNode, postmasterOf } from "./chaos-node.ts";
import { Load } from "./load.ts";
import { PgServer } from "./pg-server.ts";
import { type Scenario, type ScenarioOptions, type ScenarioResult, settleAndAudit, withFolder } from "./scenario.ts";

const CLOCK = systemClock();
const ROUNDS = 50;
const WIDTH = 300;
/** Most orders that are settled between two kills. */
const ORDERS_PER_ROUND = 400;
/** One start of so many is killed on the way; one kill of so many takes the server along. */
const KILL_STARTS = 6;
const KILL_SERVERS = 3;
/** Longest time in which a start is killed, in milliseconds. */
const START_MS = 2_500;

/** With the node's own PostgreSQL. */
export const kill: Scenario = (options) =>
  withFolder((folder) => rounds(options, new ChaosNode({ folder }), folder, () => postmasterOf(join(folder, "data"))));

/** With a PostgreSQL of somebody else's. */
export const killExternal: Scenario = (options) =>
  withFolder(async (folder) => {
    const server = await PgServer.open(join(folder, "server"));
    try {
      await server.start();
      return await rounds(options, new ChaosNode({ folder, pgUrl: server.url }), folder, undefined);
    } finally {
      await server.stop("immediate");
    }
  });

/** `postmaster`: process of the server, if it may be killed too. */
async function rounds(options: ScenarioOptions, node: ChaosNode, folder: string, postmaster: (() => number) | undefined): Promise<ScenarioResult> {
  const { random } = options;
  const load = new Load({ target: node, random, name: "k", width: WIDTH, orders: 0 });
  try {
    const summary = await killAgainAndAgain(options, node, load, postmaster);
    const result = await settleAndAudit(node, folder, load, summary);
    await node.stop();
    return result;
  } finally {
    node.destroy();
  }
}

/** Answers what it did. */
async function killAgainAndAgain(options: ScenarioOptions, node: ChaosNode, load: Load, postmaster: (() => number) | undefined): Promise<string[]> {
  const { random, say, rounds: count = ROUNDS } = options;
  await node.start();
  await load.deploy();
  load.start();
  const tally = { kills: 0, starts: 0, servers: 0 };
  const startsMs: number[] = [];
  for (let round = 1; round <= count; round += 1) {
    load.allow(WIDTH + ORDERS_PER_ROUND);
    await load.settled(random.uint32() % ORDERS_PER_ROUND);
    await node.pause(random.fraction() * 10);
    say(`round ${round}: killed with ${load.underWay} orders under way, ${load.ended} settled`);
    const isServerKilled = postmaster !== undefined && random.uint32() % KILL_SERVERS === 0;
    if (isServerKilled) process.kill(postmaster(), "SIGKILL");
    tally.servers += isServerKilled ? 1 : 0;
    tally.kills += 1;
    await node.kill();
    const { kills, lastStartMs } = await startAgain(node, random);
    tally.starts += kills;
    startsMs.push(lastStartMs);
  }
  startsMs.sort((a, b) => a - b);
  return [
    `${tally.kills} kills under load, ${tally.servers} of them with the server, ${tally.starts} kills during a start`,
    `ready again after ${inSeconds(startsMs[startsMs.length >> 1])} s in the median, ${inSeconds(startsMs.at(-1))} s at most`,
  ];
}

function inSeconds(durationMs = 0): string {
  return (durationMs / 1_000).toFixed(1);
}

/** Starts the node; answers how often it was killed on the way, and how long the last start took. */
async function startAgain(node: ChaosNode, random: Random): Promise<{ readonly kills: number; readonly lastStartMs: number }> {
  for (let kills = 0; ; kills += 1) {
    node.launch();
    const startedMs = CLOCK.monotonic();
    if (random.uint32() % KILL_STARTS !== 0) {
      await node.ready();
      return { kills, lastStartMs: CLOCK.monotonic() - startedMs };
    }
    await node.pause(random.fraction() * START_MS);
    await node.kill();
  }
}
