/**
 * A node stands still (SIGSTOP) for longer than its lease, another node takes its runs over, and the first goes on as if nothing had happened: it must be
 * fenced, stop by itself and write nothing.
 */
import { join } from "node:path";
import { execute } from "../support/pg-fixture.ts";
import { ChaosNode, type ChaosNodeOptions } from "./chaos-node.ts";
import { Load, type LoadTarget } from "./load.ts";
import { PgServer } from "./pg-server.ts";
import { type Scenario, settleAndAudit, withFolder } from "./scenario.ts";

const ROUNDS = 6;
const WIDTH = 200;
const ORDERS_PER_ROUND = 300;
const LEASE_MS = 1_500;
/** What `maestro start` ends with when another boot took over. */
const EXIT_FENCED = 5;

/** See the file header. */
export const stall: Scenario = ({ random, say, rounds = ROUNDS }) =>
  withFolder(async (folder) => {
    const server = await PgServer.open(join(folder, "server"));
    await server.start();
    const nodes: ChaosNode[] = [];
    const open = (): ChaosNode => {
      const options: ChaosNodeOptions = { folder, pgUrl: server.url, nodeName: `n${nodes.length + 1}`, args: ["--lease-ms", String(LEASE_MS)] };
      const node = new ChaosNode(options);
      nodes.push(node);
      return node;
    };
    const findings: string[] = [];
    let owner = open();
    const target: LoadTarget = { address: () => owner.address() };
    const load = new Load({ target, random, name: "s", width: WIDTH, orders: 0 });
    try {
      await owner.start();
      await load.deploy();
      load.start();
      for (let round = 1; round <= rounds; round += 1) {
        load.allow(WIDTH + ORDERS_PER_ROUND);
        await load.settled(random.uint32() % ORDERS_PER_ROUND);
        const zombie = owner;
        zombie.process.kill("SIGSTOP");
        zombie.cut();
        owner = open();
        await startAfterLease(owner);
        const before = await rowsOfOthers(server.url);
        zombie.process.kill("SIGCONT");
        const { code } = await zombie.process.ended();
        const after = await rowsOfOthers(server.url);
        if (code !== EXIT_FENCED) findings.push(`round ${round}: the fenced node ended with ${code}`);
        if (after !== before) findings.push(`round ${round}: ${after - before} rows were written under an epoch that was over`);
        say(`round ${round}: the zombie ended with ${code}; ${load.ended} orders settled`);
      }
      for (const node of nodes.slice(0, -1)) owner.boots.unshift(...node.boots);
      const result = await settleAndAudit(owner, folder, load, [`${rounds} nodes stood still and were replaced`]);
      await owner.stop();
      return { summary: result.summary, findings: [...findings, ...result.findings] };
    } finally {
      for (const node of nodes) node.process.kill("SIGKILL");
      await server.stop("immediate");
    }
  });

/** A node of another name is refused as long as the lease holds: it is started until it is not. */
async function startAfterLease(node: ChaosNode): Promise<void> {
  for (let left = 20; ; left -= 1) {
    try {
      return await node.start();
    } catch (error) {
      if (left === 0 || !String(error).includes("OWNED_ELSEWHERE")) throw error;
      node.boots.pop();
      await node.pause(LEASE_MS / 3);
    }
  }
}

/** Rows of the journal that were not written under the newest epoch of all. */
async function rowsOfOthers(pgUrl: string): Promise<number> {
  const text = "SELECT count(*)::integer AS count FROM journal WHERE epoch < (SELECT max(epoch) FROM shards)";
  const [row] = await execute<{ count: number }>(pgUrl, text);
  return row?.count ?? 0;
}
