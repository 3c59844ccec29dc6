/**
 * The same as `every-write` with real processes, in a sample: a proxy in front of PostgreSQL kills the node before a batch reaches the server, or after
 * its COMMIT and before the answer.
 */
import { join } from "node:path";
import { ChaosNode } from "./chaos-node.ts";
import { type Fate, LaneProxy } from "./lane-proxy.ts";
import { Load } from "./load.ts";
import { PgServer } from "./pg-server.ts";
import { type Scenario, settleAndAudit, withFolder } from "./scenario.ts";

const ROUNDS = 24;
/** Orders under way when the node is killed: few, so that a batch means something to each. */
const WIDTH = 10;
/** A node is killed at one of its first batches, so that batches of recovery are among them. */
const BATCHES = 25;

/** See the file header. */
export const everyWriteProcess: Scenario = ({ random, say, rounds = ROUNDS }) =>
  withFolder(async (folder) => {
    const server = await PgServer.open(join(folder, "server"));
    await server.start();
    const proxy = await LaneProxy.start(server.url);
    const node = new ChaosNode({ folder, pgUrl: proxy.url });
    const load = new Load({ target: node, random, name: "w", width: WIDTH });
    const kills: Record<Fate, number> = { pass: 0, dropRequest: 0, dropAnswer: 0 };
    try {
      await node.start();
      await load.deploy();
      load.start();
      for (let round = 1; round <= rounds; round += 1) {
        const at = 1 + (random.uint32() % BATCHES);
        const fate: Fate = round % 2 === 0 ? "dropRequest" : "dropAnswer";
        proxy.judgeBy({
          judge: (batch) => (batch < at ? "pass" : fate),
          done: () => node.process.kill("SIGKILL"),
        });
        await node.gone();
        kills[fate] += 1;
        say(`round ${round}: ${fate} at batch ${at}; ${load.ended} orders settled`);
        proxy.judgeBy(undefined);
        node.launch();
        // The next one may come while the node recovers.
        if (random.uint32() % 2 === 0 || round === rounds) await node.ready();
        else void node.ready().catch((error: unknown) => say(String(error).slice(0, 100)));
      }
      const summary = [`killed ${kills.dropRequest} times before a batch arrived, ${kills.dropAnswer} times between a COMMIT and its answer`];
      const result = await settleAndAudit(node, folder, load, summary);
      await node.stop();
      return result;
    } finally {
      node.process.kill("SIGKILL");
      await proxy.stop();
      await server.stop("immediate");
    }
  });
