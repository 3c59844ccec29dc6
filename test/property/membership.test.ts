import fc from "fast-check";
import { CONVERGENCE_PACE } from "../../runtime/cluster/convergence.ts";
import { MembershipWorld, type WorldNode } from "../support/membership-world.ts";

const NAMES = ["a", "b", "c", "d"];
const SETTLED_WITHIN_MS = CONVERGENCE_PACE.adoptedMs + 30_000;

const fault = fc.record({
  kind: fc.constantFrom("kill", "start", "storeAway", "storeBack", "cutOff", "restore", "partition", "busStop", "busStart", "drain"),
  name: fc.constantFrom(...NAMES),
  other: fc.constantFrom(...NAMES),
  waitMs: fc.integer({ min: 10, max: 4_000 }),
});

type Fault = typeof fault extends fc.Arbitrary<infer T> ? T : never;

/** Members that are to stay: they live, know that they are members, and are not asked to drain. */
class Roster {
  readonly #world: MembershipWorld;
  readonly #draining = new Set<WorldNode>();

  constructor(world: MembershipWorld) {
    this.#world = world;
  }

  get hosts(): readonly WorldNode[] {
    return this.#world.nodes.filter((node) => node.store !== "dead" && node.lost === 0 && !this.#draining.has(node));
  }

  newest(name: string): WorldNode | undefined {
    return this.#world.nodes.findLast((node) => node.name === name && node.store !== "dead");
  }

  drain(node: WorldNode): void {
    node.membership.drain().then(
      () => undefined,
      // The store was away: the node was not asked after all.
      () => this.#draining.delete(node),
    );
    this.#draining.add(node);
  }
}

async function play(world: MembershipWorld, roster: Roster, { kind, name, other, waitMs }: Fault): Promise<void> {
  const node = roster.newest(name);
  if (kind === "start") await world.start(name);
  else if (kind === "busStop") world.network.stop();
  else if (kind === "busStart") world.network.start();
  else if (kind === "cutOff") world.network.cutOff(name);
  else if (kind === "restore") world.network.restore(name);
  else if (kind === "partition") world.network.partition(name, other, waitMs % 2 === 0);
  else if (node !== undefined && kind === "kill") world.kill(node);
  else if (node !== undefined && kind === "drain") roster.drain(node);
  else if (node !== undefined) node.store = kind === "storeAway" ? "away" : "there";
  await world.pass(waitMs);
}

function repair(world: MembershipWorld): void {
  world.network.start();
  world.network.heal();
  for (const name of NAMES) world.network.restore(name);
  for (const node of world.nodes) if (node.store === "away") node.store = "there";
}

describe("memberships", function () {
  this.timeout(120_000);

  it("never act for one shard at a time, and bring all to their places once faults end", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { minLength: 3, maxLength: 15 }), fc.nat({ max: 1_000 }), async (faults, seed) => {
        const world = new MembershipWorld(seed);
        const roster = new Roster(world);
        world.network.setFaults({ loss: 0.05, duplication: 0.05, reordering: 0.1, delayMs: [0, 30] });
        await world.start("a");
        await world.start("b");
        for (const one of faults) await play(world, roster, one);
        repair(world);
        await world.start("c");
        await world.passUntil("every shard is where it belongs", () => world.isPlaced(...roster.hosts), SETTLED_WITHIN_MS);
        if (world.conflicts.length > 0) throw new Error(world.conflicts.slice(0, 3).join("; "));
        await world.stop();
      }),
      { numRuns: 25 },
    );
  });
});
