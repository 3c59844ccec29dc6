/**
 * The node dies before, and after, every single write of a reference run, in memory and with real actors: then another boot takes over and the run must
 * end as if nothing had happened. Beside that, random sequences of deaths, also while a boot recovers from the one before.
 */
import { messageOf } from "../../runtime/errors.ts";
import type { Random } from "../../runtime/random.ts";
import { Store } from "../support/runs-node.ts";
import { audit } from "./audit.ts";
import { readMemory } from "./memory-evidence.ts";
import { type Death, MortalNode } from "./mortal-node.ts";
import type { Order } from "./order.ts";
import { REFERENCES } from "./reference-run.ts";
import type { Scenario } from "./scenario.ts";
import type { Kind } from "./workflows.ts";

const ROUNDS = 60;
const MOST_DEATHS = 4;
/** Findings after which no more are gathered. */
const SHOWN = 10;

/** What came of one run with deaths. */
interface Outcome {
  /** Boots that died; fewer than asked for if the run ended earlier. */
  readonly deaths: number;
  readonly findings: readonly string[];
}

/** See the file header. `rounds` counts the random sequences. */
export const everyWrite: Scenario = async ({ random, say, rounds = ROUNDS }) => {
  const findings: string[] = [];
  const summary: string[] = [];
  const examine = async (kind: Kind, deaths: readonly Death[]): Promise<number> => {
    const outcome = await runWithDeaths(kind, deaths, random.uint32() % 1_000);
    const where = deaths.map(({ write, moment }) => `${moment} write ${write}`).join(", then ");
    if (findings.length < SHOWN) findings.push(...outcome.findings.map((finding) => `${kind.name}, died ${where}: ${finding}`));
    return outcome.deaths;
  };
  for (const kind of REFERENCES) {
    let writes = 0;
    for (let isReached = true; isReached; ) {
      writes += 1;
      const before = await examine(kind, [{ write: writes, moment: "before" }]);
      const after = await examine(kind, [{ write: writes, moment: "after" }]);
      isReached = before + after > 0;
    }
    let deaths = 0;
    for (let round = 0; round < rounds; round += 1) deaths += await examine(kind, randomDeaths(random, writes));
    say(`${kind.name}: ${writes - 1} writes, ${deaths} random deaths`);
    summary.push(`${kind.name}: died before and after each of ${writes - 1} writes, and ${deaths} times in ${rounds} random sequences`);
  }
  return { summary, findings };
};

/** Runs a workflow on boots that die one after the other, and one that does not. */
async function runWithDeaths(kind: Kind, deaths: readonly Death[], n: number): Promise<Outcome> {
  const store = new Store();
  const workflowId = await store.deploy(kind.document.slice(kind.document.indexOf("\n") + 1), kind.name);
  const order: Order = {
    ...{ id: "k", kind, n, key: "k", isPersistent: true, isExecuted: false, acknowledged: new Set<string>() },
    ...{ isDriven: false, isOpen: false, told: undefined, trouble: undefined },
  };
  const boots: MortalNode[] = [];
  for (const death of [...deaths, undefined]) {
    const node = await MortalNode.start(store, boots.length + 1, death);
    boots.push(node);
    await node.serve(workflowId, order).catch((error: unknown) => {
      order.trouble = messageOf(error);
    });
    if (!node.isDead) break;
  }
  const reached = boots.filter((node) => node.isDead).length;
  await Promise.all(boots.map((node) => node.close()));
  return { deaths: reached, findings: audit(await readMemory(store, order, boots)) };
}

function randomDeaths(random: Random, writes: number): Death[] {
  const count = 1 + (random.uint32() % MOST_DEATHS);
  return Array.from({ length: count }, () => ({ write: 1 + (random.uint32() % writes), moment: random.uint32() % 2 === 0 ? "before" : "after" }));
}
