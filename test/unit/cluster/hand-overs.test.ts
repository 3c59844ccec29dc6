/** Shards that are being handed over while what they rest on fails. */
import assert from "node:assert/strict";
import { virtualClock } from "../../../runtime/clock.ts";
import { HandOvers } from "../../../runtime/cluster/hand-overs.ts";
import { EventHub } from "../../../runtime/events.ts";
import { newBootId, type Shard } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";
import type { ShardEpochs } from "../../../runtime/storage/held-shards.ts";
import { ShardSet } from "../../../runtime/storage/shard-set.ts";
import { atEpoch } from "../../support/at-epoch.ts";
import { nextTurn } from "../../support/next-turn.ts";

const GROUP = [3, 4];

describe("hand-overs", () => {
  const clock = virtualClock();
  let failures = 0;
  let calls = 0;
  let released: Shard[] = [];
  let named: ShardEpochs | undefined;

  /** Fails as often as `failures` says. */
  const attempt = async (): Promise<void> => {
    calls += 1;
    if (calls <= failures) throw new Error("the store is away");
  };

  function open(fails: "stop" | "release"): HandOvers {
    const shards = new HandOvers({
      ...{ clock, events: new EventHub(), bootId: newBootId(seededRandom(1)) },
      ownership: {
        release: async (_boot, group) => {
          named = group;
          if (fails === "release") await attempt();
          return group.size;
        },
      },
      handOff: async () => {
        if (fails === "stop") await attempt();
        return ShardSet.none;
      },
      onReleased: (group) => released.push(...group),
    });
    shards.hold(atEpoch(7, [3, 4, 5]));
    return shards;
  }

  beforeEach(() => {
    [failures, calls, released] = [2, 0, []];
  });

  for (const fails of ["stop", "release"] as const) {
    it(`go on until they are done if the ${fails} fails: what was stopped is not begun again`, async () => {
      const shards = open(fails);
      shards.begin(GROUP);
      while (released.length === 0) {
        assert.deepEqual(
          [3, 4, 5].map((shard) => shards.holdingOf(shard)),
          ["leaving", "leaving", "held"],
        );
        clock.advance(100);
        await nextTurn();
      }
      assert.deepEqual([released, calls, shards.count, named], [GROUP, 3, 1, atEpoch(7, GROUP)]);
    });
  }

  it("end with the node, however much is left", async () => {
    failures = Number.POSITIVE_INFINITY;
    const shards = open("stop");
    shards.begin(GROUP);
    clock.advance(1_000);
    await nextTurn();
    const stopped = shards.stop();
    clock.advance(10_000);
    await nextTurn();
    await stopped;
    assert.deepEqual([released, shards.holdingOf(3)], [[], "leaving"]);
  });
});
