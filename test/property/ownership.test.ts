/**
 * The ownership table against a model that knows nothing but the rules: whatever boots do, in whatever order and however late, each answer is what the
 * rules say, an epoch of a shard never has two owners, and grows with each.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type VirtualClock, virtualClock } from "../../runtime/clock.ts";
import { type BootId, newBootId, SHARD_COUNT, type Shard } from "../../runtime/ids.ts";
import { seededRandom } from "../../runtime/random.ts";
import { MemoryOwnership } from "../../runtime/storage/memory-ownership.ts";
import { MemoryStore } from "../../runtime/storage/memory-store.ts";

/** Shards that the commands speak of; of those between, all that is known is that boots which find no other get them too. */
const SHARDS: readonly Shard[] = [0, 1, 2, 3, 4000, 4095];
const NAMES = ["a", "b", "c"];
const LEASE_MS = 3_000;

interface ModelBoot {
  readonly bootId: BootId;
  readonly nodeName: string;
  leaseUntilMs: number;
  isMember: boolean;
}

/** What the rules say. */
interface Model {
  readonly boots: ModelBoot[];
  readonly owners: Map<Shard, BootId>;
  readonly epochs: Map<Shard, number>;
  /** Every owner that an epoch of a shard ever had. */
  readonly tenures: Map<string, BootId>;
  version: number;
}

interface Real {
  readonly clock: VirtualClock;
  readonly ownership: MemoryOwnership;
}

type Command = fc.AsyncCommand<Model, Real>;

const random = seededRandom(1);
const pick = (model: Model, index: number): ModelBoot | undefined => model.boots[index % Math.max(1, model.boots.length)];
const isFree = (model: Model, shard: Shard): boolean => {
  const owner = model.boots.find(({ bootId }) => bootId === model.owners.get(shard));
  return owner === undefined || !owner.isMember;
};

function take(model: Model, bootId: BootId, shards: Iterable<Shard>): Map<Shard, number> {
  const got = new Map<Shard, number>();
  for (const shard of shards) {
    const epoch = model.epochs.get(shard) ?? 0;
    if (model.owners.get(shard) === bootId) got.set(shard, epoch);
    else if (isFree(model, shard)) got.set(shard, epoch + 1);
    else continue;
    model.owners.set(shard, bootId);
    model.epochs.set(shard, got.get(shard) ?? 0);
    const tenure = `${shard}/${got.get(shard)}`;
    assert.equal(model.tenures.get(tenure) ?? bootId, bootId, "an epoch has one owner");
    model.tenures.set(tenure, bootId);
  }
  return got;
}

/** A command for one of the boots so far, none of which may be a member any more. */
const forBoot = (name: string, index: number, run: (boot: ModelBoot, model: Model, real: Real) => Promise<void>): Command => ({
  check: (model) => model.boots.length > 0,
  async run(model, real) {
    const boot = pick(model, index);
    if (boot !== undefined) await run(boot, model, real);
    await agree(model, real);
  },
  toString: () => `${name}(${index})`,
});

/** The view shows what the model knows. */
async function agree(model: Model, { ownership, clock }: Real): Promise<void> {
  const view = await ownership.view();
  assert.equal(view.version, model.version);
  for (const shard of SHARDS) {
    const isTaken = !isFree(model, shard);
    assert.equal(view.ownerOf(shard), isTaken ? model.owners.get(shard) : undefined, `owner of ${shard}`);
    assert.equal(view.epochOf(shard), isTaken ? model.epochs.get(shard) : 0, `epoch of ${shard}`);
  }
  const members = model.boots.filter((boot) => boot.isMember);
  const shown = view.nodes.filter(({ state }) => state === "live");
  assert.deepEqual(
    new Map(shown.map((node) => [node.bootId, node.leaseLeftMs])),
    new Map(members.map((b) => [b.bootId, b.leaseUntilMs - clock.now()])),
  );
}

const join = (nodeName: string): Command => ({
  check: () => true,
  async run(model, real) {
    const bootId = newBootId(random);
    const nowMs = real.clock.now();
    const isOnly = !model.boots.some((boot) => boot.isMember && boot.nodeName !== nodeName);
    for (const boot of model.boots) if (boot.nodeName === nodeName) boot.isMember = false;
    const { shards, version } = await real.ownership.join({ bootId, nodeName, lanes: 1, leaseMs: LEASE_MS });
    model.boots.push({ bootId, nodeName, leaseUntilMs: nowMs + LEASE_MS, isMember: true });
    model.version++;
    assert.equal(version, model.version);
    const expected = take(model, bootId, isOnly ? Array.from({ length: SHARD_COUNT }, (_, shard) => shard) : []);
    assert.deepEqual(shards, expected);
    await agree(model, real);
  },
  toString: () => `join(${nodeName})`,
});

const renew = (index: number): Command =>
  forBoot("renew", index, async (boot, model, { ownership, clock }) => {
    const renewed = await ownership.renew(boot.bootId, { leaseMs: LEASE_MS, load: 0 });
    if (boot.isMember) boot.leaseUntilMs = clock.now() + LEASE_MS;
    const expired = model.boots.filter((other) => other.isMember && other !== boot && other.leaseUntilMs <= clock.now()).map(({ bootId }) => bootId);
    assert.deepEqual(
      [renewed.isMember, renewed.version, new Set(renewed.expired)],
      [boot.isMember, model.version, new Set(boot.isMember ? expired : [])],
    );
  });

const acquire = (index: number, shards: readonly Shard[]): Command =>
  forBoot(`acquire ${shards}`, index, async (boot, model, { ownership }) => {
    const isChange = boot.isMember && shards.some((shard) => isFree(model, shard));
    const expected = boot.isMember ? take(model, boot.bootId, shards) : new Map();
    assert.deepEqual((await ownership.acquire(boot.bootId, shards)).shards, expected);
    if (isChange) model.version++;
  });

/** `epochsAgo`: how late it comes. */
const release = (index: number, shards: readonly Shard[], epochsAgo: number): Command =>
  forBoot(`release ${shards} of ${epochsAgo} epochs ago`, index, async (boot, model, { ownership }) => {
    const own = new Set(shards.filter((shard) => epochsAgo === 0 && boot.isMember && model.owners.get(shard) === boot.bootId));
    const named = new Map(shards.map((shard) => [shard, (model.epochs.get(shard) ?? 0) - epochsAgo]));
    assert.equal(await ownership.release(boot.bootId, named), own.size);
    for (const shard of own) model.owners.delete(shard);
    if (own.size > 0) model.version++;
  });

const fence = (index: number, isForced: boolean): Command =>
  forBoot(isForced ? "fence even alive" : "fence", index, async (boot, model, { ownership, clock }) => {
    const mayBe = boot.isMember && (isForced || boot.leaseUntilMs <= clock.now());
    assert.equal(await ownership.fence(boot.bootId, isForced ? { even: "alive" } : {}), mayBe);
    if (!mayBe) return;
    boot.isMember = false;
    model.version++;
  });

const leave = (index: number): Command =>
  forBoot("leave", index, async (boot, model, { ownership }) => {
    await ownership.leave(boot.bootId);
    if (boot.isMember) model.version++;
    boot.isMember = false;
  });

const advance = (durationMs: number): Command => ({
  check: () => true,
  run: async (_, { clock }) => clock.advance(durationMs),
  toString: () => `advance(${durationMs})`,
});

const anyShards = fc.uniqueArray(fc.constantFrom(...SHARDS), { minLength: 1 });
const anyBoot = fc.nat(20);

describe("the ownership table", () => {
  it("does what the rules say, whatever boots do", async function () {
    this.timeout(60_000);
    const commands = fc.commands(
      [
        fc.constantFrom(...NAMES).map(join),
        anyBoot.map(renew),
        fc.tuple(anyBoot, anyShards).map(([index, shards]) => acquire(index, shards)),
        fc.tuple(anyBoot, anyShards, fc.nat(2)).map(([index, shards, epochsAgo]) => release(index, shards, epochsAgo)),
        fc.tuple(anyBoot, fc.boolean()).map(([index, isForced]) => fence(index, isForced)),
        anyBoot.map(leave),
        fc.integer({ min: 1, max: 2 * LEASE_MS }).map(advance),
      ],
      { maxCommands: 60, size: "max" },
    );
    await fc.assert(
      fc.asyncProperty(commands, async (sequence) => {
        const clock = virtualClock();
        const model: Model = { boots: [], owners: new Map(), epochs: new Map(), tenures: new Map(), version: 0 };
        const real = { clock, ownership: new MemoryOwnership(new MemoryStore(clock)) };
        await fc.asyncModelRun(() => ({ model, real }), sequence);
      }),
      { numRuns: 100 },
    );
  });
});
