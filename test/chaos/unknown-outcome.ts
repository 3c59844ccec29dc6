/**
 * The connection is cut between a COMMIT and its answer, and before a batch arrives, again and again under load: the node knows neither, and must not
 * lose or repeat anything.
 */
import { join } from "node:path";
import { waitUntil } from "../support/wait-until.ts";
import { ChaosNode } from "./chaos-node.ts";
import { type Fate, type LaneJudge, LaneProxy } from "./lane-proxy.ts";
import { Load } from "./load.ts";
import { PgServer } from "./pg-server.ts";
import { type Scenario, settleAndAudit, withFolder } from "./scenario.ts";

const ROUNDS = 200;
const WIDTH = 300;
/** One batch of so many is cut, on average. */
const CUT_ONE_IN = 12;

/** See the file header. `rounds` counts the cuts. */
export const unknownOutcome: Scenario = ({ random, say, rounds = ROUNDS }) =>
  withFolder(async (folder) => {
    const server = await PgServer.open(join(folder, "server"));
    await server.start();
    const proxy = await LaneProxy.start(server.url);
    const node = new ChaosNode({ folder, pgUrl: proxy.url });
    const load = new Load({ target: node, random, name: "u", width: WIDTH });
    const cuts: Record<Fate, number> = { pass: 0, dropRequest: 0, dropAnswer: 0 };
    const judge: LaneJudge = {
      judge: () => (random.uint32() % CUT_ONE_IN > 0 ? "pass" : random.uint32() % 4 === 0 ? "dropRequest" : "dropAnswer"),
      done: (fate) => {
        cuts[fate] += 1;
      },
    };
    try {
      await node.start();
      await load.deploy();
      proxy.judgeBy(judge);
      load.start();
      await waitUntil("all cuts", () => cuts.dropAnswer >= rounds, 240_000);
      say(`${cuts.dropAnswer} answers and ${cuts.dropRequest} requests were dropped`);
      proxy.judgeBy(undefined);
      const retries = await node.metric("maestro_journal_retries_total");
      const summary = [
        `${cuts.dropAnswer} commits whose answer was dropped, ${cuts.dropRequest} batches dropped; the node noted ${retries} unknown outcomes`,
      ];
      const result = await settleAndAudit(node, folder, load, summary);
      await node.stop();
      return result;
    } finally {
      node.process.kill("SIGKILL");
      await proxy.stop();
      await server.stop("immediate");
    }
  });
