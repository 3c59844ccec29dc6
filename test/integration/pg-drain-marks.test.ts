/** Drains that are said through a gateway of an older version, which writes one column where this version has three. */
import assert from "node:assert/strict";
import { type BootId, newBootId } from "../../runtime/ids.ts";
import { seededRandom } from "../../runtime/random.ts";
import { openPgOwnership } from "../../runtime/storage/pg-ownership.ts";
import { execute, freshDatabase } from "../support/pg-fixture.ts";

/** How programs of schema 0010 announce. */
const OLDER = `UPDATE nodes SET is_draining = coalesce($2, is_draining), grpc_address = coalesce($3, grpc_address)
  WHERE boot_id = $1 AND released_at IS NULL`;

describe("a drain that is said through an older gateway", function () {
  this.timeout(60_000);
  const random = seededRandom(12);
  let url: string;
  let ownership: Awaited<ReturnType<typeof openPgOwnership>>;

  beforeEach(async () => {
    url = await freshDatabase();
    ownership = await openPgOwnership({ url });
    await join("first");
  });
  afterEach(() => ownership.close());

  async function join(nodeName: string): Promise<BootId> {
    const bootId = newBootId(random);
    await ownership.join({ bootId, nodeName, lanes: 1, leaseMs: 60_000, isStarting: true });
    return bootId;
  }
  const sayOlder = (bootId: BootId, isDraining: boolean) => execute(url, OLDER, [bootId, isDraining, null]);
  const stateOf = async (bootId: BootId) => (await ownership.view()).find(bootId)?.state;

  for (const [asked, state] of [
    [[true], "draining"],
    [[true, false], "live"],
    [[false], "live"],
    [[false, true], "draining"],
  ] as const) {
    it(`to a node that is starting holds once it has started: ${asked.join(", then ")}`, async () => {
      const bootId = await join("b");
      for (const isDraining of asked) {
        await sayOlder(bootId, isDraining);
        assert.equal(await stateOf(bootId), "draining", "it can't act for shards");
      }
      await ownership.announce(bootId, { hasStarted: true });
      assert.equal(await stateOf(bootId), state);
    });
  }

  it("is taken back through a newer one, and the other way round", async () => {
    const bootId = await join("b");
    await ownership.announce(bootId, { hasStarted: true });
    await sayOlder(bootId, true);
    await ownership.announce(bootId, { grpcAddress: "h:1" });
    assert.equal(await stateOf(bootId), "draining");
    await ownership.announce(bootId, { isDraining: false });
    assert.equal(await stateOf(bootId), "live");
    await ownership.announce(bootId, { isDraining: true });
    await sayOlder(bootId, false);
    assert.equal(await stateOf(bootId), "live");
  });
});
